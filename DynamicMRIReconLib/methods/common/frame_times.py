"""Which frames a result has when it may be looked at between the measured ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError

#: a frame this near to a measured one is that one, seconds
SAME_S = 1e-6
MOST_FRAMES = 100_000


@dataclass(frozen=True)
class FrameTimes:
    """Frames asked for.

    Attributes
    ----------
    times_s
        (frames,) seconds.
    numbers
        (frames,) the same as fractional numbers of the measured frames, 0 the first.
    synthetic
        (frames,) bool, True where nothing was measured.
    """

    times_s: NDArray[np.float64]
    numbers: NDArray[np.float64]
    synthetic: NDArray[np.bool_]


def frame_times(measured_s: NDArray[np.float64], upsampling: int = 1, frames_per_s: float = 0.0) -> FrameTimes:
    """From the first measured frame to the last.

    Parameters
    ----------
    measured_s
        (frames,) seconds, increasing.
    upsampling
        so many frames for each measured one: the time between two neighbours is divided evenly.
    frames_per_s
        when above 0, frames at this rate instead, the first at the first measured one.

    Raises
    ------
    InputError
        If both are asked for, or more than ``MOST_FRAMES`` frames.
    """
    if frames_per_s > 0 and upsampling > 1:
        raise InputError("Give temporal_upsampling or frames_per_s, not both.")
    last = len(measured_s) - 1
    if frames_per_s > 0:
        count = int((measured_s[-1] - measured_s[0]) * frames_per_s + 1e-6) + 1
        _check(count)
        times = measured_s[0] + np.arange(count) / frames_per_s
        numbers = np.interp(times, measured_s, np.arange(last + 1))
    else:
        _check(last * upsampling + 1)
        numbers = np.arange(last * upsampling + 1) / upsampling
        times = np.interp(numbers, np.arange(last + 1), measured_s)
    nearest = measured_s[np.rint(numbers).astype(int)]
    return FrameTimes(times, numbers, np.abs(times - nearest) > SAME_S)


def _check(count: int) -> None:
    if count > MOST_FRAMES:
        raise InputError(f"That would be {count} frames; at most {MOST_FRAMES} can be asked for.")
