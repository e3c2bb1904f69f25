"""Density compensation of radial frames: the ramp, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: a spoke may miss the centre by this (gradient delays), and its samples its line, in cycles per field of view
_CENTRE = 0.75
_STRAIGHT = 0.05


def radial_weights(points: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """Weights (shots, readout) of one 2-D frame (shots, readout, 2), or None if it is not radial.

    The integral over angle and radius by the trapezoid rule: angle to the neighbouring spokes times ``|r|`` times the
    distance to the neighbours on the spoke. The rule's error at the kink of ``|r|`` is known (Euler-Maclaurin) and
    given back to the two samples around k = 0, ``step**2 / 6`` where one lies there. Spokes may be full, or run
    outwards from the centre.
    """
    if points.shape[-1] != 2 or points.shape[1] < 3:
        return None
    position = points[..., 0] + 1j * points[..., 1]
    if not np.any(np.abs(position) > 2 * _CENTRE, axis=1).all():
        return None
    along = position[:, -1] - position[:, 0]
    if np.any(np.abs(along) < 1):
        return None
    along /= np.abs(along)
    turned = position * along.conj()[:, None]
    radius, offset = turned.real, turned.imag
    straight = np.ptp(offset, axis=1).max() < _STRAIGHT
    if not straight or np.abs(offset).max() > _CENTRE or np.any(np.diff(radius, axis=1) <= 0):
        return None
    near, far = radius[:, 0], radius[:, -1]
    step = radius[:, 1] - radius[:, 0]
    outward = near > -_CENTRE
    # the readout may end before the centre, leaving it unsampled from one side: no simple rule for such partial echoes
    full = (near < 0) & (np.abs(near + far) <= np.maximum(2.01 * step, 0.05 * far))
    if full.all():
        period, share = np.pi, 1.0
    elif outward.all() and (near < _CENTRE).all():
        period, share = 2 * np.pi, 0.5
        radius = np.maximum(radius, 0.0)
    else:
        return None
    ramp = np.abs(radius) * np.gradient(radius, axis=1)
    for spoke, line in enumerate(radius):
        ramp[spoke] += share * _kink(line)
    angles = _angular_shares(np.angle(along), period)
    return np.asarray(np.maximum(ramp * angles[:, None], 0), np.float32)


def _kink(radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the trapezoid rule misses of ``|r|`` around 0: ``step**2 B2(place)``, B2 the second Bernoulli polynomial."""
    missing = np.zeros(len(radius))
    after = int(np.searchsorted(radius, 0.0, side="right"))
    if after == 0:
        # an outward spoke that starts beyond the centre: as if there were a sample one step before
        step = radius[1] - radius[0]
        place = min(radius[0] / step, 1.0)
        missing[0] = step**2 * (place**2 - place + 1 / 6)
        return missing
    before = after - 1
    step = radius[after] - radius[before]
    place = -radius[before] / step
    size = step**2 * (place**2 - place + 1 / 6)
    missing[before], missing[after] = size * (1 - place), size * place
    return missing


def _angular_shares(angles: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Half the gap to either neighbour, the angles being periodic; spokes on one line share it evenly."""
    wrapped = np.mod(angles, period)
    distinct, index, count = np.unique(np.round(wrapped / period * 1e6) % 1e6, return_inverse=True, return_counts=True)
    if len(distinct) == 1:
        return np.full(len(angles), period / len(angles))
    place = distinct * period / 1e6
    gap = np.diff(np.append(place, place[0] + period))
    share = (gap + np.roll(gap, 1)) / 2
    return np.asarray((share / count)[index])
