"""Between arrays with RAS affines and SimpleITK, whose coordinates are LPS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def itk_image(array: NDArray[Any], affine: NDArray[np.float64]) -> Any:
    """A SimpleITK image of ``array`` (z, y, x) in the place that ``affine``, voxel index to RAS mm, tells.

    The axes must be at right angles: ITK knows no others, and takes the nearest rotation where rounding has bent them.
    """
    import SimpleITK

    lps = _FLIP @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    left, _, right = np.linalg.svd(lps[:3, :3] / spacing)
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection((left @ right).flatten().tolist())
    return image


def matrix_of(transform: Any) -> NDArray[np.float64]:
    """4x4 RAS matrix of the map of points that a linear SimpleITK transform makes."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.array(transform.TransformPoint(tuple(row))) - origin for row in np.eye(3)]
    lps = np.eye(4)
    lps[:3, :3] = np.stack(columns, axis=1)
    lps[:3, 3] = origin
    return np.asarray(_FLIP @ lps @ _FLIP)


def transform_of(matrix: NDArray[np.float64]) -> Any:
    """SimpleITK's affine transform that maps points as the 4x4 RAS ``matrix`` does."""
    import SimpleITK

    lps = _FLIP @ matrix @ _FLIP
    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix(lps[:3, :3].flatten().tolist())
    transform.SetTranslation(lps[:3, 3].tolist())
    return transform
