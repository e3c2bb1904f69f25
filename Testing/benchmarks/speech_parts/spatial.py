"""Undersampled frames: zero-filled, total variation at its best weight, MICCAN."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from speech_parts.admm_tv import admm_tv
from speech_parts.cases import MASKS, Case

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.training.figures import psnr_db, ssim

WEIGHTS = (0.001, 0.003, 0.01, 0.03)
Row = dict[str, Any]
#: what was tried: the weight of the penalty, and the images (T, N, N)
Images = list[tuple[Any, NDArray[Any]]]


def figures(images: NDArray[Any], truth: NDArray[np.float32]) -> tuple[float, float]:
    """Mean PSNR (dB, data range 1) and SSIM (Gaussian window) over the frames (T, N, N), the paper's."""
    found = torch.from_numpy(np.abs(images).astype(np.float32)).clamp(0, 1)[:, None]
    wanted = torch.from_numpy(truth)[:, None]
    return float(psnr_db(found, wanted).mean()), float(ssim(found, wanted).mean())


def measure(case: Case, weights: str) -> tuple[list[Row], dict[str, dict[str, NDArray[Any]]]]:
    """A row for each mask and method, and the images by mask and method.

    Total variation gets the weight that is best on these very frames, one for PSNR and one for SSIM.
    """
    rows: list[Row] = []
    images: dict[str, dict[str, NDArray[Any]]] = {}
    for mask in MASKS:
        kspace = case.measured(mask)
        shown = images[mask] = {}
        for name, run in (("zero-filled", _zero_filled), ("ADMM+TV", _total_variation), ("MICCAN", _miccan(weights))):
            started = time.process_time()
            tried = run(kspace)
            seconds = (time.process_time() - started) / len(tried) / len(case.frames)
            found = [(*figures(array, case.frames), weight, array) for weight, array in tried]
            best = max(found, key=lambda one: one[0])
            shown[name] = np.abs(best[3])
            rows.append(
                {
                    "case": case.title,
                    "mask": mask,
                    "sampled": float(kspace.mask.mean()),
                    "method": name,
                    "psnr_db": best[0],
                    "ssim": max(one[1] for one in found),
                    "weight": best[2],
                    "cpu_s_per_frame": seconds,
                }
            )
    return rows, images


def _zero_filled(kspace: KSpace) -> Images:
    return [("", dmr.reconstruct(kspace, "gridding", device="cpu").array[:, 0])]


def _total_variation(kspace: KSpace) -> Images:
    samples, mask = torch.from_numpy(kspace.samples[:, 0, 0]), torch.from_numpy(kspace.mask[:, 0])
    return [(weight, admm_tv(samples, mask, weight).numpy()) for weight in WEIGHTS]


def _miccan(weights: str) -> Callable[[KSpace], Images]:
    return lambda kspace: [("", dmr.reconstruct(kspace, "miccan", device="cpu", weights=weights).array[:, 0])]
