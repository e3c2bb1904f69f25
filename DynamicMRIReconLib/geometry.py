"""Where voxels are: the affine from voxel index (i=x, j=y, k=z) to RAS millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError


@dataclass(frozen=True)
class Geometry:
    """Position, direction and size of a voxel grid.

    Attributes
    ----------
    affine
        (4, 4) float64, voxel index (i, j, k) to RAS millimetres, right-handed (determinant > 0).

    Raises
    ------
    InputError
        If the matrix has another shape, is not finite, is singular, or is left-handed.
    """

    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        affine = checked_affine(self.affine)
        if np.linalg.det(affine[:3, :3]) < 0:
            raise InputError(
                "The affine is left-handed (negative determinant), so files written from it would be mirrored: "
                "pass array and affine through right_handed() first."
            )
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    @classmethod
    def from_parts(
        cls,
        spacing_mm: ArrayLike,
        origin_mm: ArrayLike = (0.0, 0.0, 0.0),
        directions: ArrayLike = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    ) -> Geometry:
        """Build from voxel size (x, y, z) in mm, RAS of voxel (0, 0, 0), and unit direction columns (3, 3)."""
        affine = np.eye(4)
        affine[:3, :3] = np.asarray(directions, float) * np.asarray(spacing_mm, float)[None, :]
        affine[:3, 3] = np.asarray(origin_mm, float)
        return cls(affine)

    @classmethod
    def centred(cls, shape_zyx: tuple[int, int, int], spacing_mm: ArrayLike = (1.0, 1.0, 1.0)) -> Geometry:
        """Axis-aligned grid whose index N//2 on each axis lies at RAS (0, 0, 0)."""
        spacing = np.asarray(spacing_mm, float)
        centre = np.array([shape_zyx[2] // 2, shape_zyx[1] // 2, shape_zyx[0] // 2], float)
        return cls.from_parts(spacing, -centre * spacing)

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """(3,) voxel size along x, y, z in millimetres."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def origin_mm(self) -> NDArray[np.float64]:
        """(3,) RAS position of the centre of voxel (0, 0, 0)."""
        return self.affine[:3, 3].copy()

    @property
    def directions(self) -> NDArray[np.float64]:
        """(3, 3) unit vectors of the x, y and z axes, one a column, in RAS."""
        return np.asarray(self.affine[:3, :3] / self.spacing_mm[None, :])

    def to_ras(self, ijk: ArrayLike) -> NDArray[np.float64]:
        """Voxel indices (..., 3) in order x, y, z to RAS millimetres (..., 3)."""
        return np.asarray(np.asarray(ijk, float) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_ijk(self, ras_mm: ArrayLike) -> NDArray[np.float64]:
        """RAS millimetres (..., 3) to fractional voxel indices (..., 3) in order x, y, z."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(np.asarray(ras_mm, float) @ inverse[:3, :3].T + inverse[:3, 3])

    def slice(self, k: int) -> Geometry:
        """Geometry of the single slice ``k``."""
        affine = self.affine.copy()
        affine[:3, 3] = self.to_ras((0, 0, k))
        return Geometry(affine)


def checked_affine(affine: ArrayLike) -> NDArray[np.float64]:
    """A float64 copy of a (4, 4) affine; left-handed ones pass.

    Raises
    ------
    InputError
        If the shape is wrong, a value is not finite, the last row is not (0, 0, 0, 1) or the axes are degenerate.
    """
    try:
        matrix = np.array(affine, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"The affine is not a matrix of numbers: {error}.") from error
    if matrix.shape != (4, 4):
        raise InputError(f"The affine must be a 4x4 matrix, not of shape {matrix.shape}.")
    if not np.isfinite(matrix).all():
        raise InputError("The affine holds values that are not finite (NaN or infinite).")
    if not np.allclose(matrix[3], (0, 0, 0, 1)):
        raise InputError(f"The last row of the affine must be 0 0 0 1, not {matrix[3].tolist()}.")
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    if (spacing < 1e-9).any() or abs(np.linalg.det(matrix[:3, :3] / np.maximum(spacing, 1e-9))) < 1e-6:
        raise InputError("The affine is singular: an axis has no length, or two axes are parallel.")
    return matrix


def right_handed(array: NDArray[Any], affine: ArrayLike) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Array and affine with positive determinant; every voxel value keeps its RAS position.

    Left-handed input is reversed along z, the third axis from the end of ``array`` (..., z, y, x); right-handed input
    is returned as it is (the affine as a copy). Files and MRML would otherwise mirror the image silently.
    """
    matrix = checked_affine(affine)
    if np.linalg.det(matrix[:3, :3]) > 0:
        return array, matrix
    if array.ndim < 3:
        raise InputError(f"right_handed() needs an array (..., z, y, x), not of shape {array.shape}.")
    matrix[:3, 3] += matrix[:3, 2] * (array.shape[-3] - 1)
    matrix[:3, 2] *= -1
    # A copy: torch refuses views with negative strides.
    return spool.contiguous(np.flip(array, axis=-3)), matrix
