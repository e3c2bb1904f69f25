"""The contenders on the same samples: zero-filled, shared lines, classical methods at their best weights, networks."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from cine_parts.cases import Case
from numpy.typing import NDArray

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.networks.consistency import combine, shared
from DynamicMRIReconLib.operators.fourier import ifft2c
from DynamicMRIReconLib.training.tasks.cnn3d import figures_of

Row = dict[str, Any]
#: weights that are tried for each case; the best for this very case counts
CLASSICAL: dict[str, list[dict[str, Any]]] = {
    "grasp": [{"regularization": weight} for weight in (0.001, 0.003, 0.01, 0.03)],
    "low-rank-sparse": [
        {"regularization": weight, "low_rank_regularization": weight} for weight in (0.0015, 0.005, 0.015, 0.05)
    ],
}
ITERATIONS = 30


def measure(
    case: Case, acceleration: float, networks: dict[str, str], known: set[str]
) -> tuple[list[Row], dict[str, NDArray[Any]]]:
    """A row for each method but the ``known`` ones, and the movies (T, N, N) by method."""
    kspace = case.measured(acceleration)
    rows, movies = [], {}
    contenders: dict[str, list[dict[str, Any]]] = {"zero-filled": [{}], "shared lines": [{}], **CLASSICAL}
    contenders |= {name: [{"weights": weights}] for name, weights in networks.items()}
    for name, settings in contenders.items():
        if name in known:
            continue
        tried = []
        started = time.process_time()
        for values in settings:
            movie = _run(name, kspace, values)
            found = figures_of(torch.from_numpy(movie)[None], torch.from_numpy(case.frames)[None])
            tried.append(({key: float(value) for key, value in found.items()}, values, movie))
        seconds = (time.process_time() - started) / len(settings)
        best = max(tried, key=lambda one: one[0]["psnr"])
        movies[name] = np.abs(best[2])
        rows.append(
            {
                "case": case.title, "group": case.group, "acceleration": acceleration, "method": name,
                "psnr_db": best[0]["psnr"], "ssim": max(one[0]["ssim"] for one in tried),
                "weight": best[1].get("regularization"), "cpu_s": seconds,
            }
        )  # fmt: skip
    return rows, movies


def _run(name: str, kspace: KSpace, values: dict[str, Any]) -> NDArray[np.complex64]:
    if name == "shared lines":
        return _shared(kspace)
    if name in CLASSICAL:
        values = {**values, "iterations": ITERATIONS}
    method = {"zero-filled": "gridding"}.get(name, name if name in CLASSICAL else "cnn3d")
    movie: NDArray[np.complex64] = dmr.reconstruct(kspace, method, device="cpu", **values).array[:, 0]
    return movie


def _shared(kspace: KSpace) -> NDArray[np.complex64]:
    """What the networks start with."""
    assert kspace.mask is not None
    assert kspace.coil_maps is not None
    samples, mask = torch.from_numpy(kspace.samples[None, :, :, 0]), torch.from_numpy(kspace.mask[None, :, 0])
    movie: NDArray[np.complex64] = combine(
        ifft2c(shared(samples, mask)[0]), torch.from_numpy(kspace.coil_maps[:, 0])
    ).numpy()
    return movie
