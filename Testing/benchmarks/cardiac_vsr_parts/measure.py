"""Every method on a case, and its figures in the box around the heart and in the published one."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cardiac_vsr_parts.cases import Case
from numpy.typing import NDArray

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.degradation import low_passed
from DynamicMRIReconLib.cardiac.beats import find_beats
from DynamicMRIReconLib.cardiac.region import heart_box, published_box
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation.cardiac import cardiac_figures
from DynamicMRIReconLib.methods.common.coarse_kspace import CoarseKSpace
from DynamicMRIReconLib.methods.common.trained import BRIGHT_PERCENT
from DynamicMRIReconLib.models.card import read_card
from DynamicMRIReconLib.models.files import read_network
from DynamicMRIReconLib.models.places import card_of

Row = dict[str, Any]
#: what an interpolation could reach at most: all of the coarse frames' k-space, nothing else
LIMIT = "true low-pass"


def measure(case: Case, scale: int, others: dict[str, Path], known: list[Row]) -> list[Row]:
    """A row for each method that is not among the rows ``known``."""
    had = {row["method"] for row in known if (row["case"], row["scale"]) == (case.title, scale)}
    tried = {LIMIT: lambda coarse: low_passed(case.fine, scale), **methods(scale, others)}
    missing = {name: run for name, run in tried.items() if name not in had}
    if not missing:
        return []
    coarse = case.coarse(scale)
    box = heart_box(case.fine, find_beats(case.fine).frames_per_beat)
    try:
        official = published_box(case.fine)
    except InputError:
        official = None
    rows = []
    for name, run in missing.items():
        started = time.process_time()
        found = np.asarray(run(coarse), np.float32)
        seconds = (time.process_time() - started) / (found.shape[0] * found.shape[1])
        row = {"case": case.title, "scale": scale, "method": name, "cpu_s_per_frame": seconds}
        row |= cardiac_figures(found, case.fine, box, bright=255.0)
        if official is not None:
            published = cardiac_figures(found, case.fine, official, bright=255.0, parity=True)
            row |= {f"official_{key}": value for key, value in published.items()}
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}, flush=True)
        rows.append(row)
    return rows


def parts(case: Case, scale: int) -> list[Row]:
    """The same network without parts of what it is given: no warm-up, the phase upside down."""
    coarse, rows = case.coarse(scale), []
    box = heart_box(case.fine)
    phase = dmr.reconstruct(coarse, "cardiac-vsr", device="cpu", scale=scale, preset="fast")
    found = phase.metadata["cardiac_phase"]
    swapped = {"ed_frame": round(found["es_frame"]), "es_frame": round(found["ed_frame"])}
    for name, values in (("as it is", {}), ("no warm-up", {"warmup": 0}), ("ED and ES swapped", swapped)):
        series = dmr.reconstruct(coarse, "cardiac-vsr", device="cpu", scale=scale, **values)
        row = {"scale": scale, "change": name, **cardiac_figures(series.array, case.fine, box, bright=255.0)}
        print(row, flush=True)
        rows.append(row)
    return rows


def methods(scale: int, others: dict[str, Path]) -> dict[str, Any]:
    """What makes a coarse series finer, by name: each gives (frames, z, scale y, scale x).

    ``others`` are files of weights that do not ship, of either network.
    """

    def library(method: str, **values: Any) -> Any:
        return lambda coarse: dmr.reconstruct(coarse, method, device="cpu", scale=scale, **values).array

    found = {"bicubic, as published": library("bicubic", parity=True), "bicubic": library("bicubic")}
    for name, path in others.items():
        if read_card(card_of(path)).network == "cardiac-vsr":
            found[name] = library("cardiac-vsr", weights=str(path))
        else:
            found[name] = partial(_single, path=path, consistent=False)
            found[f"{name}, data consistency"] = partial(_single, path=path, consistent=True)
    found["cardiac-vsr, no data consistency"] = library("cardiac-vsr", data_consistency=False)
    return {**found, "cardiac-vsr": library("cardiac-vsr")}


def _single(coarse: ImageSeries, path: Path, *, consistent: bool) -> NDArray[np.float32]:
    """Frame by frame, as the video network's method does it: in its scale, and with its data consistency if asked."""
    network: Any = read_network(path, "single-image-sr")
    bright = float(np.percentile(coarse.array, BRIGHT_PERCENT))
    height, width = coarse.array.shape[-2:]
    keep = CoarseKSpace((height, width), network.scale, float(coarse.array.max()) / bright)
    found = []
    with torch.inference_mode():
        for frame in torch.from_numpy(coarse.array).float() / bright:
            finer = network(frame[:, None])[:, 0]
            found.append((keep(finer, frame) if consistent else finer).clamp_min(0).numpy() * bright)
    return np.stack(found)
