"""Which kind of sampling a trajectory is."""

from __future__ import annotations

import numpy as np

from DynamicMRIReconLib.data import KSpace


def sampling_kind(data: KSpace) -> str:
    """``cartesian``, ``radial`` (straight lines through the centre), ``spiral`` (turning outward) or ``non-cartesian``.

    Told from the first frame's trajectory itself; what a file's header calls it is not asked.
    """
    if data.trajectory is None:
        return "cartesian"
    first = data.trajectory[0].reshape(-1, *data.trajectory.shape[-2:])[:64].astype(np.float64)
    radius = np.linalg.norm(first, axis=-1)
    reach = max(float(radius.max()), 1e-9)
    # A line through the centre: all samples along the direction of the farthest one.
    farthest = np.take_along_axis(first, radius.argmax(axis=1)[:, None, None], axis=1)
    unit = farthest / np.maximum(np.linalg.norm(farthest, axis=-1, keepdims=True), 1e-9)
    along = (first * unit).sum(axis=-1, keepdims=True)
    if np.linalg.norm(first - along * unit, axis=-1).max() < 0.01 * reach and radius.min(axis=1).max() < 0.1 * reach:
        return "radial"
    angle = np.unwrap(np.arctan2(first[..., 1], first[..., 0]), axis=1)
    turned = np.abs(angle[:, -1] - angle[:, 0]) if first.shape[1] > 1 else np.zeros(len(first))
    swing = np.abs(radius[:, -1] - radius[:, 0])
    if (turned > np.pi / 4).all() and (swing > 0.5 * reach).all():
        return "spiral"
    return "non-cartesian"
