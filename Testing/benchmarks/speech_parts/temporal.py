"""Frames in between: IFNet beside linear interpolation and the previous frame, on true and on MICCAN's frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from speech_parts.cases import Case
from speech_parts.spatial import Row, figures

import DynamicMRIReconLib as dmr


def between(case: Case, frames: NDArray[np.float32], weights: str) -> dict[str, NDArray[np.float32]]:
    """The odd frames of ``frames`` (T, N, N), T odd, from the even ones, by each method."""
    even = frames[::2]
    series = dmr.reconstruct(
        case.series(frames, 2), "ifnet", device="cpu", weights=weights, temporal_upsampling=2, cut_threshold=0.0
    )
    return {
        "previous frame": even[:-1],
        "linear": 0.5 * (even[:-1] + even[1:]),
        "IFNet": np.asarray(series.array[1::2, 0], np.float32),
    }


def measure(case: Case, inputs: dict[str, NDArray[Any]], weights: str) -> list[Row]:
    """A row for each input (true frames, MICCAN's at a mask) and method: against the input's own frame and the true."""
    rows = []
    for source, frames in inputs.items():
        clipped = np.clip(np.abs(frames), 0, 1).astype(np.float32)
        for name, images in between(case, clipped, weights).items():
            own, true = figures(images, clipped[1::2]), figures(images, case.frames[1::2])
            row = {"case": case.title, "input": source, "method": name, "psnr_rec_db": own[0], "ssim_rec": own[1]}
            rows.append({**row, "psnr_gt_db": true[0], "ssim_gt": true[1], **mmode_errors(case, images)})
    return rows


def mmode_errors(case: Case, images: NDArray[np.float32]) -> Row:
    """Along the line across the tongue: RMS difference of intensity in %, mean difference of the tracked edge in mm.

    Only the frames in between count; the edge is tracked in each movie and in the true one alike.
    """
    if case.line_ras_mm is None:
        return {}
    movie = case.frames.copy()
    movie[1::2] = images
    ours, truth = (dmr.line_profile(case.series(frames), *case.line_ras_mm) for frames in (movie, case.frames))
    error = (ours.intensity - truth.intensity)[truth.valid][:, 1::2]
    found = {"mmode_percent": 100 * float(np.sqrt(np.mean(error**2)))}
    if case.knows_millimetres:
        found["edge_mm"] = float(np.nanmean(np.abs(ours.edges_mm - truth.edges_mm)[1::2]))
    return found
