"""How many heartbeats a series holds, and whether its end leads back to its beginning: from the images alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
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
    steps, back = _steps(array, region)
    return Beats(_beat(_differences_by_lag(array, region)), bool(back <= _LARGER_STEP * steps.max()), True)


def _steps(array: NDArray[Any], region: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """(T - 1,) mean squared difference of each frame from the one before, and of the last from the first."""
    steps = np.empty(len(array) - 1)
    before = array[0][region].astype(np.float64)
    for part in spool.blocks(array):
        values = array[part][:, region].astype(np.float64)
        changes = np.diff(values, axis=0, prepend=before[None])
        # the first frame has none before it
        first = 1 if part.start == 0 else 0
        steps[part.start + first - 1 : part.stop - 1] = np.mean(changes[first:] ** 2, axis=1)
        before = values[-1]
    return steps, float(np.mean((before - array[0][region]) ** 2))


def _differences_by_lag(array: NDArray[Any], region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(T - 2,) mean squared difference of all pairs of frames so far apart: 0, 1, 2 ... frames.

    Of the energies and autocorrelations of the region's pixels, a few pixels at a time: that takes neither all pairs
    nor the whole series into memory.
    """
    from scipy import fft

    frames = len(array)
    pixels, places = array.reshape(frames, -1), np.flatnonzero(region)
    length = fft.next_fast_len(2 * frames - 1, real=True)
    energy, correlation = np.zeros(frames), np.zeros(frames)
    # values, padded values, their spectrum and its power
    together = max(1, spool.BLOCK_BYTES // (32 * length))
    for start in range(0, len(places), together):
        values = pixels[:, places[start : start + together]].astype(np.float64)
        values -= values.mean(axis=0)
        energy += (values**2).sum(axis=1)
        power = (np.abs(fft.rfft(values, length, axis=0)) ** 2).sum(axis=1)
        correlation += fft.irfft(power, length)[:frames]
        spool.trim()
    lags = np.arange(frames - 2)
    before = np.concatenate([[0.0], np.cumsum(energy)])
    pairs = before[frames - lags] + before[-1] - before[lags] - 2 * correlation[lags]
    return np.asarray(pairs / ((frames - lags) * len(places)))


def _beat(by_lag: NDArray[np.float64]) -> float:
    for lag in range(_SHORTEST_BEAT, len(by_lag) - 1):
        if not (by_lag[lag] <= by_lag[lag - 1] and by_lag[lag] < by_lag[lag + 1]):
            continue
        top = by_lag[1 : lag + 1].max()
        if top - by_lag[lag] > _FALL * (top - by_lag[1]):
            return _sharpened(by_lag, lag)
    # the two largest distances, of few pairs, are left out of by_lag
    return float(len(by_lag) + 2)


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
