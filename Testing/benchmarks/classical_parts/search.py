"""Which weights are tried: three a factor of 3 apart, further while the best is at an edge, then one in between."""

from __future__ import annotations

import math
from collections.abc import Mapping

STEP = 3.0
MOST = 6


def next_factor(found: Mapping[float, float], *, refine: bool) -> float | None:
    """The factor on the usual weight to try next, None when done. ``found``: factor -> PSNR so far."""
    for factor in (1.0, STEP, 1 / STEP):
        if not _known(factor, found):
            return factor
    best = max(found, key=lambda factor: found[factor])
    for side in (STEP, 1 / STEP):
        outside = all((other - best) * (side - 1) <= 0 for other in found)
        if outside and len(found) < MOST:
            return best * side
    if not refine:
        return None
    coarse = [factor for factor in found if abs(math.log(factor, STEP) - round(math.log(factor, STEP))) < 0.1]
    if len(coarse) < len(found):
        return None
    middle = max(coarse, key=lambda factor: found[factor])
    near = [factor for factor in coarse if _known(factor, (middle * STEP, middle / STEP))]
    second = max(near, key=lambda factor: found[factor])
    return math.sqrt(middle * second)


def _known(factor: float, found: Mapping[float, float] | tuple[float, ...]) -> bool:
    return any(abs(math.log(factor / other)) < 0.05 for other in found)
