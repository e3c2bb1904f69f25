"""Simulated stacks of thick slices of a volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError


def thick_slices(volume: ImageSeries, axis: int, factor: int) -> ImageSeries:
    """A stack whose slices are means of ``factor`` neighbouring voxel planes along ``axis`` (0 is z, 1 y, 2 x).

    Planes that do not fill a slice are left out on both sides. The slice axis of the stack is its z, and every
    slice lies in the middle of what it averages.

    Raises
    ------
    InputError
        Several frames, an axis that does not exist, or fewer planes than ``factor``.
    """
    if volume.frames != 1:
        raise InputError(f"Thick slices are simulated of one volume; this series has {volume.frames} frames.")
    if axis not in (0, 1, 2):
        raise InputError(f"The axis of the slices must be 0 (z), 1 (y) or 2 (x), not {axis}.")
    array = np.moveaxis(volume.array[0], axis, 0)
    count = len(array) // factor if factor >= 1 else 0
    if count < 1:
        raise InputError(f"{factor} planes a slice do not fit {len(array)} planes: choose 1 to {len(array)}.")
    first = (len(array) - count * factor) // 2
    slices = array[first : first + count * factor].reshape(count, factor, *array.shape[1:]).mean(axis=1)
    # the columns of the affine are x, y, z: those in the plane keep their order
    column = 2 - axis
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, column] * (first + (factor - 1) / 2)
    affine[:3, :3] = np.column_stack([*(affine[:3, i] for i in range(3) if i != column), affine[:3, column] * factor])
    metadata = {**volume.metadata, "simulated": True, "slice_thickness_mm": float(np.linalg.norm(affine[:3, 2]))}
    stack = ImageSeries.from_any_handedness(slices[None], affine, volume.times_s, metadata=metadata)
    return replace(stack, synthetic=volume.synthetic)
