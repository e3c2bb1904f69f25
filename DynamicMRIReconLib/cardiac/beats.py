"""How many heartbeats a series holds, and whether its end leads back to its beginning: from the images alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.evaluation.regions import moving_region

#: fewest frames of a beat that are told apart from noise
_SHORTEST_BEAT = 4
#: a beat's length shows as a fall of the difference between frames by more than this part of its range
_FALL = 0.6
#: the step from the last frame to the first may be larger than the largest other step by this factor, in energy
_LARGER_STEP = 2.0


@dataclass(frozen=True)
class Beats:
    """``frames_per_beat`` (a fraction is possible), and whether the last frame leads back to the first."""

    frames_per_beat: float
    is_cyclic: bool
    moves: bool


def find_beats(array: NDArray[Any]) -> Beats:
    """Beats of real images (frames, z, y, x).

    Frames are compared where the series moves. Their mean squared difference rises with the distance in time and
    falls again when the heart comes back: the first clear minimum, sharpened by its multiples, is the beat. Without
    one, the series is one beat.
    """
    region = moving_region(array)
    if region is None:
        return Beats(float(len(array)), False, False)
    differences = _differences(array[:, region])
    steps = np.diagonal(differences, 1)
    is_cyclic = bool(differences[-1, 0] <= _LARGER_STEP * steps.max())
    return Beats(_beat(differences), is_cyclic, True)


def _differences(values: NDArray[Any]) -> NDArray[np.float64]:
    """(T, T) mean squared differences of frames (T, pixels)."""
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    products = centred @ centred.T
    energy = np.diagonal(products)
    return np.asarray((energy[:, None] + energy - 2 * products) / values.shape[1])


def _beat(differences: NDArray[np.float64]) -> float:
    count = len(differences)
    by_lag = np.array([np.diagonal(differences, lag).mean() for lag in range(count - 2)])
    for lag in range(_SHORTEST_BEAT, len(by_lag) - 1):
        if not (by_lag[lag] <= by_lag[lag - 1] and by_lag[lag] < by_lag[lag + 1]):
            continue
        top = by_lag[1 : lag + 1].max()
        if top - by_lag[lag] > _FALL * (top - by_lag[1]):
            return _sharpened(by_lag, lag)
    return float(count)


def _sharpened(by_lag: NDArray[np.float64], lag: int) -> float:
    """The beat from the minimum at ``lag`` and those at its multiples, to a fraction of a frame."""
    beat = _vertex(by_lag, lag)
    for multiple in range(2, len(by_lag)):
        expected = round(multiple * beat)
        around = np.arange(expected - 1, expected + 2)
        if around[-1] >= len(by_lag) - 1:
            break
        beat = _vertex(by_lag, int(around[np.argmin(by_lag[around])])) / multiple
    return beat


def _vertex(values: NDArray[np.float64], at: int) -> float:
    """Where the parabola through three neighbours has its minimum, at most half a step off."""
    before, here, after = values[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(at + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend > 0 else float(at)
