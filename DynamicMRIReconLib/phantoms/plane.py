"""The slice plane of a phantom: where its millimetres lie in the patient, and its background phase."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.phantoms.scene import Shape, checked_shape
from DynamicMRIReconLib.phantoms.shapes import Canvas, Pose


@dataclass(frozen=True)
class SlicePlane:
    """A plane with a fixed field of view that can be divided into any number of pixels.

    Attributes
    ----------
    centre_ras_mm
        (3,) RAS position of index N // 2 on every axis.
    directions
        (3, 3) unit columns: image x, image y and slice direction in RAS, right-handed.
    fov_mm
        Field of view along x and y.
    slice_spacing_mm
        Distance of slices (and their thickness).
    pose
        How the anatomy lies in the plane.
    """

    centre_ras_mm: NDArray[np.float64]
    directions: NDArray[np.float64]
    fov_mm: tuple[float, float]
    slice_spacing_mm: float
    pose: Pose = field(default_factory=Pose)

    @classmethod
    def from_axes(
        cls,
        x_axis: ArrayLike,
        y_axis: ArrayLike,
        centre_ras_mm: ArrayLike,
        fov_mm: tuple[float, float],
        slice_spacing_mm: float,
        pose: Pose | None = None,
    ) -> SlicePlane:
        """Build from rough directions of image x and y: y is made orthogonal to x, the slice axis is x cross y."""
        x = np.asarray(x_axis, float) / np.linalg.norm(x_axis)
        y = np.asarray(y_axis, float) - x * float(np.dot(x, np.asarray(y_axis, float)))
        y /= np.linalg.norm(y)
        columns = np.stack([x, y, np.cross(x, y)], axis=1)
        return cls(np.asarray(centre_ras_mm, float), columns, fov_mm, slice_spacing_mm, pose or Pose())

    def geometry(self, shape_zyx: Shape) -> Geometry:
        """Voxel grid of ``shape_zyx`` with index N // 2 at ``centre_ras_mm``."""
        slices, rows, columns = checked_shape(shape_zyx)
        spacing = np.array([self.fov_mm[0] / columns, self.fov_mm[1] / rows, self.slice_spacing_mm])
        centre = np.array([columns // 2, rows // 2, slices // 2])
        origin = self.centre_ras_mm - self.directions @ (spacing * centre)
        return Geometry.from_parts(spacing, origin, self.directions)

    def canvas(self, shape_zyx: tuple[int, int, int]) -> Canvas:
        """The pixel grid of one slice."""
        return Canvas(self.fov_mm, shape_zyx[1:], self.pose)

    def to_ras(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Anatomical in-plane millimetres (..., 2) to RAS, in the middle slice."""
        return np.asarray(self.pose.place(points_mm) @ self.directions[:, :2].T + self.centre_ras_mm)


def background_phase(
    canvas: Canvas, rng: np.random.Generator, fov_mm: tuple[float, float], turns: float = 0.35
) -> NDArray[np.complex64]:
    """exp(i phase) of a smooth second-order phase: up to about ``turns`` revolutions over the field of view."""
    x = canvas.x_mm[None, :] * np.float32(2 / fov_mm[0])
    y = canvas.y_mm[:, None] * np.float32(2 / fov_mm[1])
    c = (np.pi * turns * rng.uniform(-1, 1, 6)).astype(np.float32)
    phase = c[0] + c[1] * x + c[2] * y + 0.5 * (c[3] * x * x + c[4] * y * y + c[5] * x * y)
    return np.asarray(np.exp(1j * phase), np.complex64)
