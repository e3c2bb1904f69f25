"""An asymmetric test object whose position and time are known exactly: for checking geometry and clocks end to end."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.phantoms.plane import SlicePlane
from DynamicMRIReconLib.phantoms.scene import Shape, checked_shape, checked_times
from DynamicMRIReconLib.phantoms.shapes import Points, ellipse

_AXES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    # image x and y in RAS, as each plane is usually displayed; the slice axis is x cross y
    "axial": ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
    "sagittal": ((0.0, -1.0, 0.0), (0.0, 0.0, -1.0)),
    "coronal": ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "oblique": ((-0.77, -0.35, 0.53), (0.26, -0.94, -0.23)),
}
_SUB_SLICES = 8


class MarkerScene:
    """An F of bars, a turning hand and one bright sphere, in 3-D, at known RAS positions.

    Parameters
    ----------
    orientation
        ``axial``, ``sagittal``, ``coronal`` or ``oblique``; or a right-handed 4x4 affine whose columns give the
        directions of image x, y and slice and whose last column gives the RAS position of index N // 2.
    fov_mm
        Field of view along x and y.
    slice_spacing_mm
        Distance of slices, equal to their thickness.
    duration_s
        The sphere's signal rises evenly from 0.4 to 1.0 in this time, and the hand turns once.

    Raises
    ------
    InputError
        If the orientation is unknown or left-handed, or a size is not positive.
    """

    title = "Geometry and time marker"

    def __init__(
        self,
        orientation: str | ArrayLike = "axial",
        *,
        fov_mm: float = 200.0,
        slice_spacing_mm: float = 5.0,
        duration_s: float = 2.0,
        centre_ras_mm: ArrayLike = (7.3, -11.9, 23.7),
    ) -> None:
        if not (fov_mm > 0 and slice_spacing_mm > 0 and duration_s > 0):
            raise InputError("Field of view, slice spacing and duration of the marker must be positive.")
        fov = (float(fov_mm), float(fov_mm))
        if isinstance(orientation, str):
            if orientation not in _AXES:
                raise InputError(f"The marker's orientation must be one of {', '.join(_AXES)}, not '{orientation}'.")
            x_axis, y_axis = _AXES[orientation]
            self.plane = SlicePlane.from_axes(x_axis, y_axis, centre_ras_mm, fov, float(slice_spacing_mm))
        else:
            affine = Geometry(np.asarray(orientation, float)).affine
            directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
            self.plane = SlicePlane(affine[:3, 3].copy(), directions, fov, float(slice_spacing_mm))
        self.duration_s = float(duration_s)
        self._scale = float(fov_mm) / 200.0
        self._sphere_mm = np.array([51.3, -37.6, 0.11 * slice_spacing_mm / self._scale]) * self._scale
        self._radius_mm = 9.0 * self._scale

    @property
    def marker_ras_mm(self) -> NDArray[np.float64]:
        """(3,) RAS position of the middle of the bright sphere."""
        return np.asarray(self.plane.directions @ self._sphere_mm + self.plane.centre_ras_mm)

    @property
    def marker_radius_mm(self) -> float:
        """Radius of the sphere; nothing else lies within twice this distance of its middle."""
        return self._radius_mm

    def marker_intensity(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """Signal of the sphere: 0.4 until time 0, then rising evenly to 1.0 at ``duration_s``, constant after."""
        return np.asarray(0.4 + 0.6 * np.clip(checked_times(times_s) / self.duration_s, 0.0, 1.0))

    def geometry(self, shape_zyx: Shape) -> Geometry:
        """Voxel grid of ``shape_zyx`` with index N // 2 at the centre of the plane."""
        return self.plane.geometry(shape_zyx)

    def render(self, times_s: ArrayLike, shape_zyx: Shape) -> NDArray[np.complex64]:
        """Images (T, z, y, x); see ``Scene.render``. The sphere is averaged over the thickness of each slice."""
        shape, times = checked_shape(shape_zyx), checked_times(times_s)
        canvas = self.plane.canvas(shape)
        still = np.zeros(canvas.shape, np.float32)
        canvas.paint(still, ellipse((0, 0), np.array([86.0, 78.0]) * self._scale, points=180), 0.15)
        for contour, value in self._letter():
            canvas.paint(still, contour, value)
        around = ellipse(self._sphere_mm[:2], np.array([2.0, 2.0]) * self._radius_mm)
        canvas.paint(still, around, 0.0)
        frames = np.empty((len(times), *shape), np.complex64)
        spheres = [self._sphere_share(shape, k) for k in range(shape[0])]
        for t, signal in enumerate(self.marker_intensity(times).tolist()):
            frame = still.copy()
            canvas.paint(frame, self._hand(float(times[t])), 0.7)
            for k, sphere in enumerate(spheres):
                frames[t, k] = frame + np.float32(signal) * sphere
        return frames

    def _sphere_share(self, shape: tuple[int, int, int], k: int) -> NDArray[np.float32]:
        canvas = self.plane.canvas(shape)
        share = np.zeros(canvas.shape, np.float32)
        for sub in range(_SUB_SLICES):
            z = (k - shape[0] // 2 + (sub + 0.5) / _SUB_SLICES - 0.5) * self.plane.slice_spacing_mm
            squared = self._radius_mm**2 - (z - self._sphere_mm[2]) ** 2
            if squared > 0:
                window, covered = canvas.cover(ellipse(self._sphere_mm[:2], np.full(2, np.sqrt(squared)), points=144))
                share[window] += covered / np.float32(_SUB_SLICES)
        return share

    def _letter(self) -> list[tuple[Points, float]]:
        def bar(x0: float, y0: float, x1: float, y1: float) -> Points:
            return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) * self._scale

        return [
            (bar(-48, -52, -36, 40), 0.8),
            (bar(-36, -52, 10, -40), 0.8),
            (bar(-36, -16, -6, -5), 0.6),
            (ellipse(np.array([-20, 52]) * self._scale, np.array([7, 4]) * self._scale), 0.5),
        ]

    def _hand(self, time_s: float) -> Points:
        """A narrow triangle that turns once in ``duration_s``, starting at image +x towards +y."""
        turn = 2 * np.pi * time_s / self.duration_s
        along, aside = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        centre = np.array([28.0, 34.0])
        return np.asarray((centre + np.stack([22 * along, 4 * aside, -6 * along, -4 * aside])) * self._scale)
