"""Density compensation: how much k-space each sample stands for.

A weight is an area (volume for 3-D trajectories) in units of one grid cell, (cycle per field of view) ** d. With the
orthonormal transform the weighted adjoint of a densely sampled object is therefore the object at its own intensity, and
fully sampled Cartesian points would have the weight 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.acquisition.density_iterative import iterative_weights
from DynamicMRIReconLib.acquisition.density_radial import radial_weights
from DynamicMRIReconLib.errors import InputError

#: frames whose samples differ by less than this (cycles per field of view), also after a rotation, share weights
_SAME = 2e-3
#: so many of the frames before are looked at
_REMEMBERED = 8


def density_weights(trajectory: NDArray[np.float32], image_shape: Sequence[int]) -> NDArray[np.float32]:
    """Weights of each frame on its own, shape of ``trajectory`` without its last axis.

    Radial frames get the analytic ramp, with the true angle between neighbouring spokes (gaps count, so undersampling
    leaves the intensity as it is); all others get iterative weights, at most one grid cell a sample. Frames that repeat
    an earlier one, or turn it about k = 0, share its weights.

    Parameters
    ----------
    trajectory
        (frames, shots, readout, 2 or 3), cycles per field of view, order kx, ky(, kz).
    image_shape
        (z, y, x) or (y, x) of the image; its extent bounds the trajectory.

    Raises
    ------
    InputError
        If the trajectory has another shape, or lies outside +-N/2 altogether.
    """
    if trajectory.ndim != 4 or trajectory.shape[-1] not in (2, 3):
        raise InputError(f"Density weights need a trajectory (frames, shots, readout, 2 or 3), not {trajectory.shape}.")
    limits = np.array(tuple(image_shape)[::-1][: trajectory.shape[-1]], float) / 2
    inside = ((np.abs(trajectory[part]) <= limits * 1.01 + 0.5).all(axis=-1).any() for part in spool.blocks(trajectory))
    if not any(inside):
        raise InputError("No sample of the trajectory lies within +-N/2 of the image: check its units.")
    weights = spool.empty(trajectory.shape[:-1], np.float32)
    models: deque[tuple[NDArray[np.float64], NDArray[np.float32]]] = deque(maxlen=_REMEMBERED)
    for part in spool.blocks(trajectory):
        for frame in range(part.start, part.stop):
            points = np.asarray(trajectory[frame], np.float64)
            known = next((w for model, w in models if _same_but_turned(points, model)), None)
            if known is None:
                radial = radial_weights(points)
                known = iterative_weights(points) if radial is None else radial
                models.append((points, known))
            weights[frame] = known
    return weights


def _same_but_turned(points: NDArray[np.float64], model: NDArray[np.float64]) -> bool:
    """True if ``points`` are those of ``model``, sample by sample, after one rotation about the centre (2-D)."""
    if points.shape[-1] == 3:
        return bool(np.abs(points - model).max() < _SAME)
    ours, theirs = (p[..., 0] + 1j * p[..., 1] for p in (points, model))
    overlap = complex(np.vdot(theirs, ours))
    turn = overlap / abs(overlap) if abs(overlap) > 0 else 1.0
    return bool(np.abs(ours - theirs * turn).max() < _SAME)
