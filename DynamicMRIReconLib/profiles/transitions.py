"""How wide a step is: 10 % to 90 % of the way between the plateaus on its two sides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Where the derivative has fallen to this part of its peak the step has ended and the plateau begun.
_STEP_ENDS = 0.05


def transition_width(
    values: NDArray[Any], strength: NDArray[np.float64], index: int, usable: NDArray[np.bool_], step: float
) -> float:
    """10-90 % width of the step around ``index``, rising along the axis; NaN where it cannot be told.

    Parameters
    ----------
    values
        (n,) unsmoothed values on an even grid, ``step`` apart.
    strength
        (n,) their smoothed derivative, positive on the step.
    usable
        (n,) bool, False outside the image.
    """
    least = _STEP_ENDS * strength[index]
    if least <= 0:
        return float("nan")
    first = last = int(index)
    while first > 0 and usable[first - 1] and strength[first] > least:
        first -= 1
    while last < len(strength) - 1 and usable[last + 1] and strength[last] > least:
        last += 1
    profile = np.asarray(values[first : last + 1], np.float64)
    low, high = profile[0], profile[-1]
    if not high > low:
        return float("nan")
    relative = (profile - low) / (high - low)
    return float(step * (_crossing(relative, 0.9, index - first) - _crossing(relative, 0.1, index - first)))


def _crossing(relative: NDArray[np.float64], level: float, middle: int) -> float:
    """Fractional index where the profile crosses ``level``, the crossing nearest to ``middle``."""
    above = relative >= level
    crossings = np.flatnonzero(~above[:-1] & above[1:])
    places = crossings + (level - relative[crossings]) / (relative[crossings + 1] - relative[crossings])
    return float(places[np.abs(places - middle).argmin()])
