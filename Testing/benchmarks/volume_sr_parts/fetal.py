"""The six real stacks beside the published volume of the same fetus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import binary_erosion, map_coordinates

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.registration.rigid import Volume, register_rigid

#: the voxel size of the published volume; the fetus moved between slices
_COMMON = {"voxel_size_mm": 1.125, "registration_refinements": 0}
#: name in the table: method and settings
FETAL_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "bspline": ("bspline", _COMMON),
    "srr": ("srr", {**_COMMON, "slice_cycles": 2}),
    "irem": ("irem", _COMMON),
}


def compare(output: Path, published: Path) -> dict[str, float]:
    """NCC with the published volume after rigid registration, and sharpness: the mean length of the gradient over the
    mean intensity, of both, where the published volume is brain."""
    result, reference = dmr.read(output), dmr.read(published)
    own, other = aligned(result, reference)
    inside = binary_erosion(other > 0, iterations=2) & (own > 0)
    return {
        "ncc": float(np.corrcoef(own[inside], other[inside])[0, 1]),
        "sharpness": _sharpness(own, inside),
        "published_sharpness": _sharpness(other, inside),
        "voxels": int(inside.sum()),
    }


def aligned(result: ImageSeries, reference: ImageSeries) -> tuple[np.ndarray, np.ndarray]:
    """The result on the reference's grid, cropped to what the reference shows, and the reference there."""
    places = np.argwhere(reference.array[0] > 0)
    low, high = np.maximum(places.min(0) - 4, 0), places.max(0) + 5
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    other = reference.array[0][window]
    affine = reference.affine.copy()
    affine[:3, 3] = reference.geometry.to_ras(low[::-1])
    motion = register_rigid(
        Volume(other, affine, other > 0), Volume(result.array[0], result.affine, result.array[0] > 0)
    )
    k, j, i = np.meshgrid(*(np.arange(n) for n in other.shape), indexing="ij")
    points = np.stack([i, j, k], -1) @ affine[:3, :3].T + affine[:3, 3]
    inverse = np.linalg.inv(motion @ result.affine)
    at = points @ inverse[:3, :3].T + inverse[:3, 3]
    return map_coordinates(result.array[0], np.moveaxis(at[..., ::-1], -1, 0), order=3), other


def _sharpness(volume: np.ndarray, inside: np.ndarray) -> float:
    length = np.sqrt(sum(np.square(part) for part in np.gradient(volume.astype(float))))
    return float(length[inside].mean() / volume[inside].mean())
