"""How sharp a moving edge is in space and in time: numbers to compare reconstructions of one line by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.profiles.mmode import MMode
from DynamicMRIReconLib.profiles.transitions import transition_width

#: steps of the even grid of times in the shortest interval between frames
_PER_INTERVAL = 4


@dataclass(frozen=True)
class Sharpness:
    """Sharpness of an M-mode along its tracked edge.

    Attributes
    ----------
    width_mm
        Median over the measured frames of the edge's 10-90 % width along the line; NaN without an edge.
    rise_time_s
        Median 10-90 % duration of the change of brightness while the edge passes a position; NaN where it passes none.
        Blurring in time makes it longer. It depends on the edge's speed too, so compare it on one line only.
    passages
        How many passages the median is of.
    """

    width_mm: float
    rise_time_s: float
    passages: int


def sharpness(mmode: MMode) -> Sharpness:
    """Measure ``mmode``; synthetic frames are left out."""
    counted = np.flatnonzero(~mmode.synthetic & np.isfinite(mmode.edges_mm))
    widths = mmode.edge_width_mm[~mmode.synthetic]
    widths = widths[np.isfinite(widths)]
    durations = _passages_s(mmode, counted) if len(counted) > 2 else []
    return Sharpness(
        width_mm=float(np.median(widths)) if len(widths) else float("nan"),
        rise_time_s=float(np.median(durations)) if durations else float("nan"),
        passages=len(durations),
    )


def _passages_s(mmode: MMode, counted: NDArray[np.int64]) -> list[float]:
    times, edge = mmode.times_s[counted], mmode.edges_mm[counted]
    step = float(np.diff(times).min()) / _PER_INTERVAL
    grid = np.arange(times[0], times[-1] + step / 2, step)
    assert mmode.edge is not None
    rising = 1.0 if mmode.edge.polarity == "rising" else -1.0
    durations = []
    for row in np.flatnonzero(mmode.valid):
        beyond = mmode.positions_mm[row] > edge
        passes = np.flatnonzero(beyond[1:] != beyond[:-1])
        if not len(passes):
            continue
        values = np.interp(grid, times, mmode.intensity[row, counted])
        # Where the edge comes back the position is on its other side again: there each passage ends.
        bounds = [grid[0], *((times[passes[:-1]] + times[passes[1:]]) / 2), grid[-1]]
        for number, passed in enumerate(passes):
            near = (grid >= bounds[number]) & (grid <= bounds[number + 1])
            brightens = rising if beyond[passed + 1] else -rising
            duration = _rise_s(brightens * values, near, (times[passed] + times[passed + 1]) / 2, grid, step)
            if np.isfinite(duration):
                durations.append(duration)
    return durations


def _rise_s(
    values: NDArray[np.float64], near: NDArray[np.bool_], time_s: float, grid: NDArray[np.float64], step: float
) -> float:
    """10-90 % duration of the rise around ``time_s``."""
    from scipy.ndimage import gaussian_filter1d

    strength = gaussian_filter1d(values, _PER_INTERVAL / 2, order=1, mode="nearest")
    around = near & (np.abs(grid - time_s) <= 2 * _PER_INTERVAL * step)
    if not around.any():
        return float("nan")
    index = int(np.flatnonzero(around)[strength[around].argmax()])
    return transition_width(values, strength, index, near, step)
