"""Frame times in and out of image files: units by name, and the unit in which close frames stay apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError

SECONDS_PER_UNIT = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "µs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
}

# 3D Slicer merges sequence items whose index values differ by less than 0.001 of the unit; twice that is safe.
_CLOSEST = 2e-3


def seconds_per(unit: str) -> float | None:
    """Length of a time unit in seconds, None for a name that is not a unit of time. Case and blanks do not matter."""
    return SECONDS_PER_UNIT.get(unit.strip().lower())


def unit_for(times_s: NDArray[np.float64]) -> str:
    """The largest of s, ms, us in which all frames are at least 0.002 apart.

    Raises
    ------
    InputError
        If two frames are closer than 2 ns, which no unit can hold.
    """
    closest = float(np.diff(times_s).min()) if len(times_s) > 1 else np.inf
    for unit in ("s", "ms", "us"):
        # The margin keeps intervals of exactly 2 ms, as computed in floating point, in seconds.
        if closest >= _CLOSEST * SECONDS_PER_UNIT[unit] * (1 - 1e-6):
            return unit
    raise InputError(f"Two frames are only {closest:g} s apart: too close to be kept apart in a file.")


def index_texts(times_s: NDArray[np.float64], unit: str) -> list[str]:
    """The times in ``unit`` as decimal text, exact to a nanosecond, with at least three decimals."""
    decimals = {"s": 9, "ms": 6, "us": 3}[unit]
    texts = []
    for time in np.asarray(times_s, float) / SECONDS_PER_UNIT[unit]:
        whole, _, fraction = f"{time:.{decimals}f}".partition(".")
        texts.append(f"{whole}.{fraction.rstrip('0').ljust(3, '0')}")
    return texts


def frame_interval_s(times_s: NDArray[np.float64]) -> float:
    """Mean time from one frame to the next in seconds; 1 for a single frame."""
    return float((times_s[-1] - times_s[0]) / (len(times_s) - 1)) if len(times_s) > 1 else 1.0
