"""A long series in overlapping windows of frames, faded into each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.methods.common.frames import Step


def windows(frames: int, window: int, overlap: int) -> list[slice]:
    """Windows of ``window`` frames that share at least ``overlap`` with the next, evenly spread over all frames.

    One window where all frames fit into one. ``overlap`` is less than ``window``.
    """
    if frames <= window:
        return [slice(0, frames)]
    count = -(-(frames - overlap) // (window - overlap))
    starts = np.rint(np.linspace(0, frames - window, count)).astype(int)
    return [slice(int(start), int(start) + window) for start in starts]


def shares(parts: list[slice], frames: int) -> list[NDArray[np.float32]]:
    """What each window counts in each of its frames, (window,) each: linear where two overlap, 1 in sum."""
    found = []
    for number, part in enumerate(parts):
        place = np.arange(part.start, part.stop)
        weight = np.ones(len(place))
        if number:
            common = parts[number - 1].stop - part.start
            weight = np.minimum(weight, (place - part.start + 1) / (common + 1))
        if number + 1 < len(parts):
            common = part.stop - parts[number + 1].start
            weight = np.minimum(weight, (part.stop - place) / (common + 1))
        found.append(weight)
    total = np.zeros(frames)
    for part, weight in zip(parts, found, strict=True):
        total[part] += weight
    return [(weight / total[part]).astype(np.float32) for part, weight in zip(parts, found, strict=True)]


def in_time_windows(
    out: NDArray[Any], window: int, overlap: int, work: Callable[[slice, Step], NDArray[Any]], report: Step
) -> NDArray[Any]:
    """Add ``work(frames, step)`` (window, ...) of each window to ``out`` (frames, ...) of zeros, weighed by its share.

    Since shares add up to 1, samples that every window has are those of the sum too.
    """
    parts = windows(len(out), window, overlap)
    for number, (part, share) in enumerate(zip(parts, shares(parts, len(out)), strict=True)):

        def step(fraction: float, message: str, number: int = number) -> None:
            report((number + fraction) / len(parts), message)

        out[part] += share.reshape(-1, *(1,) * (out.ndim - 1)) * work(part, step)
        spool.trim()
    return out
