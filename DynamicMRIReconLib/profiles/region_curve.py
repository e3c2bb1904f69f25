"""Brightness of a region over time, and regions out of closed curves and boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError

# A drawn curve is taken as lying in a slice when it leaves its plane by less than this many voxels.
_FLAT_VOXELS = 0.75


@dataclass(frozen=True)
class RegionCurve:
    """Brightness of a region over time.

    Attributes
    ----------
    times_s
        (times,) seconds.
    mean, deviation, minimum, maximum
        (times,) over the region's voxels, in the series' intensities.
    synthetic
        (times,) bool, True for interpolated frames.
    voxels, volume_mm3
        Size of the region.
    """

    times_s: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    synthetic: NDArray[np.bool_]
    voxels: int
    volume_mm3: float


def region_curve(series: ImageSeries, mask: NDArray[Any]) -> RegionCurve:
    """Measure ``series`` (complex ones as magnitudes) in ``mask``, bool (z, y, x), the same in all frames.

    Raises
    ------
    InputError
        The mask has another shape or no voxel.
    """
    chosen = np.asarray(mask, bool)
    if chosen.shape != series.array.shape[1:]:
        raise InputError(f"The region has shape {chosen.shape}, the images {series.array.shape[1:]} (z, y, x).")
    if not chosen.any():
        raise InputError("The region holds no voxel of the images: draw it larger, or within the slice.")

    def of_region(images: NDArray[Any]) -> NDArray[np.float64]:
        inside = images[:, chosen]
        return (np.abs(inside) if inside.dtype.kind == "c" else inside).astype(np.float64)

    values = spool.mapped(of_region, series.array, np.float64)
    assert series.synthetic is not None
    volume = abs(float(np.linalg.det(series.affine[:3, :3])))
    return RegionCurve(
        times_s=series.times_s,
        mean=values.mean(axis=1),
        deviation=values.std(axis=1),
        minimum=values.min(axis=1),
        maximum=values.max(axis=1),
        synthetic=series.synthetic,
        voxels=int(chosen.sum()),
        volume_mm3=volume * int(chosen.sum()),
    )


def closed_curve_mask(series: ImageSeries, points_ras_mm: ArrayLike) -> NDArray[np.bool_]:
    """(z, y, x): voxels of one slice whose centre lies within a closed curve, given by its points (n, 3), RAS mm.

    Raises
    ------
    InputError
        Fewer than three points, or a curve that lies in no slice of the images.
    """
    points = np.asarray(points_ras_mm, np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 3 or not np.isfinite(points).all():
        raise InputError("A closed curve needs at least three points.")
    ijk = series.geometry.to_ijk(points)
    slices, rows, columns = series.array.shape[1:]
    k = int(np.rint(ijk[:, 2].mean()))
    if np.abs(ijk[:, 2] - k).max() > _FLAT_VOXELS or not 0 <= k < slices:
        raise InputError("The closed curve does not lie in one slice of the images: draw it in their own plane.")
    mask = np.zeros((slices, rows, columns), bool)
    mask[k] = _within(ijk[:, :2], rows, columns)
    return mask


def box_mask(series: ImageSeries, centre_ras_mm: ArrayLike, axes: ArrayLike, size_mm: ArrayLike) -> NDArray[np.bool_]:
    """(z, y, x): voxels whose centre lies within a box of ``size_mm`` (3,) along the columns of ``axes`` (3, 3), RAS.

    Images of one slice count as far as the slice is thick.
    """
    slices, rows, columns = series.array.shape[1:]
    inside = np.ones((slices, rows, columns), bool)
    centre, directions = np.asarray(centre_ras_mm, float), np.asarray(axes, float)
    half = np.asarray(size_mm, float) / 2
    z, y, x = np.indices((slices, rows, columns))
    places = series.geometry.to_ras(np.stack([x, y, z], axis=-1)) - centre
    if slices == 1:
        # Along the normal of a single slice its thickness decides, not its centre.
        normal = series.geometry.directions[:, 2]
        reach = np.abs(directions.T @ normal) * series.geometry.spacing_mm[2] / 2
        half = half + np.where(np.abs(directions.T @ normal) > 0.5, reach, 0.0)
    for axis in range(3):
        inside &= np.abs(places @ directions[:, axis]) <= half[axis]
    return inside


def _within(polygon: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.bool_]:
    """Pixel centres (rows, columns) within a polygon of (x, y) points, by the even-odd rule."""
    y, x = (indices.astype(np.float64) for indices in np.mgrid[:rows, :columns])
    inside = np.zeros((rows, columns), bool)
    corners = polygon.tolist()
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return inside
