"""Velocity and acceleration of an edge from its positions at uneven times, and where it turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: frames that the parabola of an acceleration goes through in the sense of least squares
_FITTED = 5
# A turn that moves less than this part of the whole range is taken for noise.
_LEAST_PROMINENCE = 0.25


def velocity(
    edge_mm: NDArray[np.float64], times_s: NDArray[np.float64], left_out: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Second-order differences over uneven times (numpy.gradient) of the frames not left out; NaN for the others."""
    speeds = np.full(len(times_s), np.nan)
    counted = np.flatnonzero(~left_out & np.isfinite(edge_mm))
    if len(counted) > 1:
        speeds[counted] = np.gradient(edge_mm[counted], times_s[counted])
    return speeds


def acceleration(
    edge_mm: NDArray[np.float64], times_s: NDArray[np.float64], left_out: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(times,) mm/s^2: twice the curvature of the parabola that fits the five nearest counted frames best.

    A second difference of three frames would be mostly noise (Savitzky and Golay 1964, here for uneven times). NaN for
    frames that are left out, and everywhere with fewer than three counted ones.
    """
    found = np.full(len(times_s), np.nan)
    counted = np.flatnonzero(~left_out & np.isfinite(edge_mm))
    size = min(_FITTED, len(counted))
    if size < 3:
        return found
    for place, frame in enumerate(counted):
        first = min(max(0, place - size // 2), len(counted) - size)
        near = counted[first : first + size]
        seconds = times_s[near] - times_s[frame]
        # In units of the window's length, so that the powers stay of one order.
        length = float(np.ptp(seconds))
        powers = np.vander(seconds / length, 3)
        curvature = np.linalg.lstsq(powers, edge_mm[near], rcond=None)[0][0]
        found[frame] = 2 * curvature / length**2
    return found


@dataclass(frozen=True)
class TurningPoint:
    """Where the edge turns back: ``furthest`` from the line's start or ``nearest`` to it, at least locally."""

    frame: int
    time_s: float
    edge_mm: float
    kind: Literal["furthest", "nearest"]


def turning_points(
    edge_mm: NDArray[np.float64], times_s: NDArray[np.float64], synthetic: NDArray[np.bool_]
) -> list[TurningPoint]:
    """Measured frames in which the edge turns by at least a quarter of its whole range, in order of time.

    For a ventricle's wall these are end diastole and end systole, for an articulator its targets. The first and the
    last frame are none: what was before and after them is not known.
    """
    from scipy.signal import find_peaks

    counted = np.flatnonzero(~synthetic & np.isfinite(edge_mm))
    if len(counted) < 3:
        return []
    values = edge_mm[counted]
    prominence = max(_LEAST_PROMINENCE * float(np.ptp(values)), 1e-9)
    found = []
    for sign, kind in ((1.0, "furthest"), (-1.0, "nearest")):
        for place in find_peaks(sign * values, prominence=prominence)[0]:
            frame = int(counted[place])
            found.append(TurningPoint(frame, float(times_s[frame]), float(edge_mm[frame]), kind))  # type: ignore[arg-type]
    return sorted(found, key=lambda point: point.frame)
