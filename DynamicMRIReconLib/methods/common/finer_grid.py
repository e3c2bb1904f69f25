"""The same field of view with finer voxels in the plane: where they lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.geometry import Geometry


def finer_affine(geometry: Geometry, scale: int) -> NDArray[np.float64]:
    """(4, 4) of a grid with ``scale`` times the voxels along x and y.

    Voxels are boxes: each is cut into ``scale * scale``, so the first middle moves by ``(1 - scale) / (2 scale)``
    voxels along x and along y, and the borders of the field of view stay.
    """
    affine = geometry.affine.copy()
    offset = (1 - scale) / (2 * scale)
    affine[:3, 3] = geometry.to_ras((offset, offset, 0.0))
    affine[:3, :2] /= scale
    return affine


def on_finer_grid(series: ImageSeries, array: NDArray[Any], scale: int, **notes: Any) -> ImageSeries:
    """``array`` (frames, z, scale y, scale x) at the times and in the place of ``series``; ``notes`` go to metadata."""
    metadata = {**series.metadata, **notes}
    affine = finer_affine(series.geometry, scale)
    return replace(series, array=array, affine=affine, metadata=metadata, parts={})
