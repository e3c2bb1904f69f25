"""Follow an edge (tongue surface, heart wall) through an M-mode.

In each frame the strength of the edge at each position is the derivative of the intensity, smoothed by a Gaussian of
about one voxel; over time the path is the one with the largest summed strength less a penalty on speed, found exactly
by dynamic programming (Viterbi 1967). Its points are then moved to the peak of the strength between the samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles.kinematics import acceleration as acceleration_of
from DynamicMRIReconLib.profiles.kinematics import velocity
from DynamicMRIReconLib.profiles.transitions import transition_width

Polarity = Literal["rising", "falling", "either"]

# Moves faster than this many times the speed scale are not looked at.
_FASTEST = 3.0


@dataclass(frozen=True)
class EdgeTrack:
    """An edge over time.

    Attributes
    ----------
    edge_mm
        (times,) position from the line's start; NaN in all frames when the image is flat along the line.
    velocity_mm_per_s
        (times,) derivative over the true frame times, positive away from the line's start; NaN for synthetic frames
        unless they were included, and when fewer than two frames are left.
    width_mm
        (times,) distance between 10 % and 90 % of the step in intensity; NaN where the step cannot be told.
    polarity
        ``rising`` (dark to bright along the line) or ``falling``.
    acceleration_mm_per_s2
        (times,) second derivative, see ``kinematics``; NaN as for the velocity, and with fewer than three frames.
    """

    edge_mm: NDArray[np.float64]
    velocity_mm_per_s: NDArray[np.float64]
    width_mm: NDArray[np.float64]
    polarity: Literal["rising", "falling"]
    acceleration_mm_per_s2: NDArray[np.float64]


def track_edge(
    positions_mm: NDArray[np.float64],
    times_s: NDArray[np.float64],
    intensity: NDArray[Any],
    synthetic: NDArray[np.bool_] | None = None,
    *,
    polarity: Polarity = "either",
    smoothing_mm: float | None = None,
    speed_scale_mm_per_s: float = 300.0,
    include_synthetic: bool = False,
) -> EdgeTrack:
    """Track the strongest edge of an M-mode.

    Parameters
    ----------
    positions_mm, times_s, intensity
        (positions,) evenly spaced; (times,); (positions, times) with NaN outside the image.
    polarity
        ``either`` follows the one of ``rising`` and ``falling`` whose path is stronger, never both in turn.
    smoothing_mm
        Standard deviation of the Gaussian, default twice the step between positions.
    speed_scale_mm_per_s
        At this speed the penalty equals the strength of the strongest edge; three times it is the fastest allowed.
    include_synthetic
        Whether synthetic frames count in velocities.

    Raises
    ------
    InputError
        Unknown polarity, or a smoothing or speed that is not positive.
    """
    if polarity not in ("rising", "falling", "either"):
        raise InputError(f"The edge must be rising, falling or either, not {polarity!r}.")
    step = float(positions_mm[1] - positions_mm[0])
    smoothing = 2 * step if smoothing_mm is None else smoothing_mm
    if not (smoothing > 0 and speed_scale_mm_per_s > 0):
        raise InputError("Smoothing (mm) and speed scale (mm/s) of the edge must be above 0.")
    frames = len(times_s)
    flags = np.zeros(frames, bool) if synthetic is None else synthetic
    usable = np.isfinite(intensity).all(axis=1)
    slope = _slope(intensity, usable, smoothing / step)
    scale = float(np.abs(slope).max(initial=0.0))
    nothing = np.full(frames, np.nan)
    if not usable.any() or scale <= 1e-6 * float(np.abs(intensity[usable]).max(initial=0.0)) or scale == 0:
        return EdgeTrack(nothing, nothing, nothing, "rising" if polarity == "either" else polarity, nothing)
    signs = {"rising": (1,), "falling": (-1,), "either": (1, -1)}[polarity]
    penalty_mm = speed_scale_mm_per_s * np.diff(times_s)
    paths = [(*_best_path(sign * slope / scale, usable, step, penalty_mm), sign) for sign in signs]
    path, _, sign = max(paths, key=lambda candidate: candidate[1])
    strength = sign * slope
    edge = np.array([positions_mm[0] + step * _peak(strength[:, t], path[t], usable) for t in range(frames)])
    width = np.array(
        [transition_width(intensity[:, t] * sign, strength[:, t], path[t], usable, step) for t in range(frames)]
    )
    left_out = flags & (not include_synthetic)
    speed, acceleration = velocity(edge, times_s, left_out), acceleration_of(edge, times_s, left_out)
    return EdgeTrack(edge, speed, width, "rising" if sign > 0 else "falling", acceleration)


def _slope(intensity: NDArray[Any], usable: NDArray[np.bool_], sigma: float) -> NDArray[np.float64]:
    """Smoothed derivative along position, 0 where the line is outside the image."""
    from scipy.ndimage import gaussian_filter1d

    slope = np.zeros(intensity.shape, np.float64)
    # Each stretch inside the image is filtered by itself, so that its ends do not look like edges.
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], usable, [False]]).astype(int)))
    for first, last in zip(bounds[::2], bounds[1::2], strict=True):
        if last - first > 1:
            stretch = np.asarray(intensity[first:last], np.float64)
            slope[first:last] = gaussian_filter1d(stretch, sigma, axis=0, order=1, mode="nearest")
    return slope


def _best_path(
    strength: NDArray[np.float64], usable: NDArray[np.bool_], step: float, penalty_mm: NDArray[np.float64]
) -> tuple[NDArray[np.int64], float]:
    """Index in each frame of the path with the largest total, and that total."""
    positions, frames = strength.shape
    blocked = np.where(usable, 0.0, -np.inf)
    total = strength[:, 0] + blocked
    back = np.zeros((frames, positions), np.int32)
    indices = np.arange(positions)
    moves, window = np.zeros(1, np.int64), indices[:, None]
    for t in range(1, frames):
        reach = min(positions - 1, int(np.ceil(_FASTEST * penalty_mm[t - 1] / step)))
        if reach != len(moves) // 2:
            moves = np.arange(-reach, reach + 1)
            window = indices[:, None] + reach + moves
        padded = np.full(positions + 2 * reach, -np.inf)
        padded[reach : reach + positions] = total
        candidates = padded[window] - (moves * step / penalty_mm[t - 1]) ** 2
        best = candidates.argmax(axis=1)
        # Where nothing can be reached the first move would lead out of the line.
        back[t] = np.clip(indices + moves[best], 0, positions - 1)
        total = candidates[indices, best] + strength[:, t] + blocked
    path = np.zeros(frames, np.int64)
    path[-1] = int(total.argmax())
    for t in range(frames - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path, float(total.max())


def _peak(strength: NDArray[np.float64], index: int, usable: NDArray[np.bool_]) -> float:
    """The top of the parabola through the path's sample and its neighbours, where it is a local maximum."""
    if not 0 < index < len(strength) - 1 or not (usable[index - 1] and usable[index + 1]):
        return float(index)
    before, here, after = strength[index - 1 : index + 2]
    curvature = before - 2 * here + after
    if curvature >= 0:
        return float(index)
    return float(index + np.clip(0.5 * (before - after) / curvature, -0.5, 0.5))
