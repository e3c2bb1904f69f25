"""A still, brain-like volume with folded grey matter: something fine enough for volume super-resolution to be seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.phantoms.dice import Dice
from DynamicMRIReconLib.phantoms.scene import Shape, checked_shape, checked_times
from DynamicMRIReconLib.phantoms.texture import RandomField

Image = NDArray[np.floating[Any]]
Vector = tuple[float, float, float]
_FOV_MM = (220.0, 220.0, 180.0)
_SINGLE_SLICE_MM = 5.0
_SLICE_STEP_MM = 1.25


class BrainScene:
    """Axial volume, x towards the patient's left, y to the back, z to the head; one marker-like lesion on the right.

    The field of view is 220 x 220 x 180 mm (x, y, z), divided by the asked shape: (180, 220, 220) has 1 mm voxels. A
    shape with z = 1 is one axial slice of 5 mm through the ventricles. Thick slices are averaged over their thickness.

    Parameters
    ----------
    seed
        Anatomy, folding and contrast; 0 is the typical person.
    """

    title = "Brain-like volume"
    duration_s = 1.0

    def __init__(self, seed: int = 0) -> None:
        dice = Dice(seed, "brain")
        self.seed = dice.seed
        self._radii: Vector = (dice.about(66.0, 4.0), dice.about(81.0, 4.0), dice.about(62.0, 3.5))
        self._skull_mm = (dice.about(2.5, 0.8), dice.about(6.0, 1.5), dice.about(5.5, 1.5))
        self._cortex_mm = dice.about(3.0, 0.4)
        self._sulcus_mm = dice.about(0.9, 0.25)
        self._fold_depth_mm = dice.about(18.0, 3.0)
        self._folds = RandomField(dice.rng, dice.about(21.0, 2.0), 0.22, 40, 3)
        self._warp = RandomField(dice.rng, 60.0, 0.3, 12, 3)
        self._grain = RandomField(dice.rng, 9.0, 0.5, 24, 3)
        self._horn_mm = dice.about(4.5, 1.2)
        self._lesion: tuple[Vector, float] = (
            (dice.about(-36.0, 4.0), dice.about(-30.0, 8.0), dice.about(3.0, 3.0)),
            dice.about(5.5, 1.2),
        )
        self._signal = {
            "scalp": dice.about(0.85, 0.1), "skull": 0.06, "fluid": dice.about(0.16, 0.04),
            "grey": dice.about(0.46, 0.04), "white": dice.about(0.68, 0.04), "lesion": dice.about(0.98, 0.04),
        }  # fmt: skip
        self._centre_ras = np.array([dice.about(0, 3), dice.about(-12, 4), dice.about(18, 5)])
        self._phase = np.pi * 0.3 * dice.rng.uniform(-1, 1, 6)
        nod, turn = np.deg2rad(dice.about(-8.0, 5.0)), np.deg2rad(dice.about(0.0, 4.0))
        x_axis = np.array([-np.cos(turn), np.sin(turn), 0.0])
        y_axis = np.array([-np.sin(turn) * np.cos(nod), -np.cos(turn) * np.cos(nod), np.sin(nod)])
        self._directions = np.stack([x_axis, y_axis, np.cross(x_axis, y_axis)], axis=1)

    def geometry(self, shape_zyx: Shape) -> Geometry:
        """Voxel grid of ``shape_zyx`` with index N // 2 on every axis at the same RAS position."""
        shape = checked_shape(shape_zyx)
        spacing = self._spacing(shape)
        centre = np.array([shape[2] // 2, shape[1] // 2, shape[0] // 2])
        return Geometry.from_parts(spacing, self._centre_ras - self._directions @ (spacing * centre), self._directions)

    def render(self, times_s: ArrayLike, shape_zyx: Shape) -> NDArray[np.complex64]:
        """The same volume at every time: (T, z, y, x); see ``Scene.render``."""
        shape, times = checked_shape(shape_zyx), checked_times(times_s)
        spacing = self._spacing(shape)
        x = ((np.arange(shape[2]) - shape[2] // 2) * spacing[0]).astype(np.float32)
        y = ((np.arange(shape[1]) - shape[1] // 2) * spacing[1]).astype(np.float32)
        edge = float(max(spacing[0], spacing[1]))
        parts = max(1, int(np.ceil(spacing[2] / max(_SLICE_STEP_MM, edge))))
        volume = np.empty(shape, np.complex64)
        for k in range(shape[0]):
            z = (k - shape[0] // 2) * spacing[2]
            offsets = ((np.arange(parts) + 0.5) / parts - 0.5) * spacing[2]
            slab = sum(self._slice(x, y, float(z + offset), edge) for offset in offsets) / np.float32(parts)
            volume[k] = slab * self._phase_factor(x, y, float(z))
        return np.repeat(volume[None], len(times), axis=0)

    def _spacing(self, shape: tuple[int, int, int]) -> NDArray[np.float64]:
        thickness = _SINGLE_SLICE_MM if shape[0] == 1 else _FOV_MM[2] / shape[0]
        return np.array([_FOV_MM[0] / shape[2], _FOV_MM[1] / shape[1], thickness])

    def _slice(self, x: Image, y: Image, z: float, edge_mm: float) -> Image:
        """One thin slice; distances are negative inside, and edges are one voxel wide."""

        def inside(distance: Image) -> Image:
            return np.clip(np.float32(0.5) - distance / np.float32(edge_mm), 0, 1)

        grid_x, grid_y = x[None, :], y[:, None]
        at = (0.0, 0.0, -z)
        warp = self._warp.plane(x, y, at)
        grain = self._grain.plane(x, y, at)
        hull = self._hull(grid_x, grid_y, z) + 0.5 * warp
        base = -np.float32(z + 33) - 0.12 * grid_y + 2.0 * warp  # the skull base rises to the front
        pial = np.maximum(hull, base)
        fissure = np.maximum(np.abs(grid_x + 0.8 * warp) - 0.9, -hull - 26)

        fold = self._folds.plane(x, y, at)
        slope = np.sqrt(sum(np.square(self._folds.derivative(a).plane(x, y, at)) for a in range(3)))
        to_sulcus = np.abs(fold) / np.maximum(slope, 0.06)
        deep = -pial - self._fold_depth_mm * (0.8 + 0.2 * warp)
        sulcus = np.maximum(to_sulcus - self._sulcus_mm, deep)
        outer_fluid = np.maximum(pial, -np.minimum(sulcus, fissure))  # distance to brain tissue, negative inside it
        image = np.zeros(hull.shape, np.float32)
        skin, bone, gap = self._skull_mm
        layers: list[tuple[Image, Image | float]] = [
            (hull - (gap + bone + skin), 0.55 * self._signal["scalp"]),
            (hull - (gap + bone + skin - 1.2), self._signal["scalp"] * (1 + 0.05 * grain)),
            (hull - (gap + bone - 2.0), self._signal["skull"]),
            (np.abs(hull - (gap - 2.0 + bone / 2)) - 0.9, 0.35 * self._signal["scalp"]),
            (hull - (gap - 3.0), self._signal["fluid"]),
            (np.maximum(hull - (gap - 3.0), 3.0 - base), self._signal["skull"]),
            (np.maximum(hull - (gap - 3.0), 6.0 - base), 0.32 * (1 + 0.15 * grain)),
            (outer_fluid, self._signal["grey"] * (1 + 0.03 * grain)),
            (outer_fluid + self._cortex_mm, self._signal["white"] * (1 + 0.02 * grain)),
            *self._deep_structures(grid_x, grid_y, z, grain, hull),
        ]
        for distance, value in layers:
            share = inside(distance)
            image += share * (value - image)
        return image

    def _hull(self, x: Image, y: Image, z: float) -> Image:
        narrow = 1 - 2e-5 * np.square(np.minimum(y, 0))  # the frontal pole is narrower
        return _ellipsoid(x / narrow, y, z, (0.0, 0.0, -2.0), self._radii)

    def _deep_structures(
        self, x: Image, y: Image, z: float, grain: Image, hull: Image
    ) -> list[tuple[Image, Image | float]]:
        grey, white, fluid = self._signal["grey"], self._signal["white"], self._signal["fluid"]
        horn = self._horn_mm
        parts: list[tuple[Image, Image | float]] = []
        for side in (-1.0, 1.0):
            parts += [
                (_ellipsoid(x, y, z, (side * 14, 4, 2), (8.5, 14, 9)), grey * (1.06 + 0.02 * grain)),  # thalamus
                (_ellipsoid(x, y, z, (side * 26, -8, 2), (5.5, 15, 10)), grey * (1.03 + 0.02 * grain)),  # putamen
                (_ellipsoid(x, y, z, (side * 14, -20, 8), (5, 9, 10)), grey),  # caudate
            ]
            bend = x - side * (7 + 0.006 * np.square(y + 10))
            parts.append((_ellipsoid(bend, y, z, (0, 2, 9), (horn, 33, 7 + horn)), fluid))
        parts.append((_ellipsoid(x, y, z, (0, 2, 2), (2.0, 13, 9)), fluid))  # third ventricle
        leaves = np.abs(np.mod(0.9 * y + 0.75 * z + 0.012 * np.square(x), 6.5) - 3.25) - 0.55
        cerebellum = np.maximum(_ellipsoid(x, y, z, (0, 38, -39), (46, 28, 17)), hull + 2.0)
        stem = np.maximum(_ellipsoid(x, y, z, (0, 8, -42), (13, 12, 32)), hull + 1.0)
        parts += [
            (np.maximum(cerebellum - 2.5, hull + 0.5), fluid),
            (np.maximum(cerebellum, -leaves), grey * 1.02),
            (_ellipsoid(x, y, z, (0, 36, -39), (30, 13, 9)), white),
            (np.maximum(stem - 2.5, hull + 0.5), fluid),
            (stem, white * 0.94),
        ]
        centre, radius = self._lesion
        blob = _ellipsoid(x, y, z, centre, (radius, radius * 1.4, radius))
        parts += [(blob - 2.5, 0.8 * grey), (blob, self._signal["lesion"])]
        return parts

    def _phase_factor(self, x: Image, y: Image, z: float) -> NDArray[np.complex64]:
        c = self._phase.astype(np.float32)
        u, v, w = x[None, :] / 110, y[:, None] / 110, np.float32(z / 90)
        return np.asarray(np.exp(1j * (c[0] + c[1] * u + c[2] * v + c[3] * w + c[4] * u * v + c[5] * v * v)))


def _ellipsoid(x: Image, y: Image, z: float, centre: Vector, radii: Vector) -> Image:
    """About the signed distance in mm to an ellipsoid (exact on its surface to first order), negative inside."""
    r = np.asarray(radii, np.float32)
    a, b, c = (x - np.float32(centre[0])) / r[0], (y - np.float32(centre[1])) / r[1], np.float32(z - centre[2]) / r[2]
    level = np.sqrt(a * a + b * b + c * c)
    gradient = np.sqrt(np.square(a / r[0]) + np.square(b / r[1]) + np.square(c / r[2]))
    return np.asarray(level * (level - 1) / np.maximum(gradient, 1e-4), np.float32)
