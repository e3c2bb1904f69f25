"""What stands still around the heart in a short-axis slice: chest wall, lung, spine, vessels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.phantoms.dice import Dice
from DynamicMRIReconLib.phantoms.shapes import Canvas, Points, ellipse, ribbon, rotate, smooth_closed, smooth_open
from DynamicMRIReconLib.phantoms.texture import RandomField

Image = NDArray[np.floating[Any]]

# Image millimetres, x towards the patient's left, y towards the back. The liver side (x < 0) is the patient's right.
_BODY = (
    (-140, 34), (-118, 2), (-84, -16), (-50, -34), (-12, -58), (28, -76), (70, -88), (112, -78), (138, -42),
    (146, 8), (138, 62), (110, 102), (62, 124), (30, 127), (0, 132), (-30, 129), (-70, 124), (-114, 98), (-138, 66),
)  # fmt: skip
_CENTRE = np.array([4.0, 24.0])


@dataclass(frozen=True)
class Chest:
    """Contours and signals of one person's chest."""

    body: Points
    fat_mm: float
    wall_mm: float
    spine: Points
    fat: float
    muscle: float
    lung: float
    liver: float
    ribs: tuple[Points, ...]
    lung_vessels: tuple[tuple[Points, float], ...]
    liver_vessels: tuple[Points, ...]
    texture: RandomField
    fine: RandomField

    @classmethod
    def draw(cls, dice: Dice) -> Chest:
        """A chest from the dice."""
        size = np.array([dice.about(1.0, 0.03), dice.about(0.99, 0.05)])
        controls = dice.jitter(np.asarray(_BODY, float) - _CENTRE, 3.0) * size + _CENTRE
        fat_mm, wall_mm = dice.about(8.0, 4.0), dice.about(21.0, 3.0)
        body = smooth_closed(controls)
        ribs = []
        middle = _shrunk(body, fat_mm + 0.6 * (wall_mm - fat_mm))
        for start in np.arange(5, len(middle) - 6, 13):
            arc = middle[start : start + 6]
            ribs.append(ribbon(arc, dice.about(6.5, 1.0)))
        vessels = []
        for _ in range(26):
            where = (dice.rng.uniform(72, 118), dice.rng.uniform(-30, 82))
            radius = dice.rng.uniform(0.7, 2.4)
            stretch = (radius * dice.rng.uniform(1, 2.4), radius)
            vessels.append((ellipse(where, stretch, dice.rng.uniform(0, 180), 24), dice.rng.uniform(0.15, 0.6)))
        hepatic = []
        root = np.array([-34.0, 50.0])
        for angle in (150, 172, 195, 216):
            heading = angle + dice.rng.uniform(-7, 7)
            reach = np.array([0.0, 26.0, 50.0, 72.0])[:, None] * np.array([[1.0, 0.0]])
            wiggle = reach + np.array([[0, 0], [0, 1], [0, 1], [0, 1]]) * dice.rng.uniform(-6, 6, (4, 1))
            curve = smooth_open(root + rotate(wiggle, heading), 6)
            hepatic.append(ribbon(curve, np.linspace(5.5, 1.2, len(curve))))
        return cls(
            body=body,
            fat_mm=fat_mm,
            wall_mm=wall_mm,
            spine=np.array([dice.about(-6.0, 4.0), dice.about(87.0, 2.0)]),
            fat=dice.about(0.66, 0.12),
            muscle=dice.about(0.22, 0.04),
            lung=dice.about(0.045, 0.015),
            liver=dice.about(0.31, 0.05),
            ribs=tuple(ribs),
            lung_vessels=tuple(vessels),
            liver_vessels=tuple(hepatic),
            texture=RandomField(dice.rng, 28.0, 0.6),
            fine=RandomField(dice.rng, 6.0, 0.5, waves=48),
        )

    def render(self, canvas: Canvas) -> tuple[Image, Image]:
        """The still image and the mask of the thoracic cavity, both (y, x)."""
        image = np.zeros(canvas.shape, np.float32)
        broad = self.texture.plane(canvas.x_mm, canvas.y_mm)
        fine = self.fine.plane(canvas.x_mm, canvas.y_mm)
        canvas.paint(image, self.body, 0.12)
        canvas.paint(image, _shrunk(self.body, 1.8), self.fat * (1 + 0.06 * broad + 0.04 * fine))
        canvas.paint(image, _shrunk(self.body, self.fat_mm), self.muscle * (1 + 0.10 * broad + 0.16 * fine))
        for index, rib in enumerate(self.ribs):
            canvas.paint(image, rib, 0.06)
            canvas.paint(image, rib.mean(axis=0) + 0.55 * (rib - rib.mean(axis=0)), 0.42 if index % 2 else 0.3)
        mask = np.zeros(canvas.shape, np.float32)
        cavity = _shrunk(self.body, self.wall_mm)
        canvas.paint(mask, cavity, 1.0)
        canvas.paint(image, _shrunk(self.body, self.wall_mm - 1.5), self.fat * 0.75)
        canvas.paint(image, cavity, self.lung * (1 + 0.25 * broad + 0.2 * fine))
        for vessel, signal in self.lung_vessels:
            canvas.paint(image, vessel, signal, mask)
        self._paint_spine(canvas, image, mask, fine)
        return image, mask

    def _paint_spine(self, canvas: Canvas, image: Image, mask: Image, fine: Image) -> None:
        x, y = self.spine
        for side in (-1, 1):
            muscle = smooth_closed(np.array([[8, 14], [38, 4], [46, 18], [34, 30], [8, 32]]) * [side, 1] + [x, y])
            canvas.paint(image, muscle, self.muscle * (0.9 + 0.2 * fine))
        canvas.paint(image, ellipse((x, y + 4), (26, 26)), 0.40 * self.fat + 0.1)
        canvas.paint(image, ellipse((x, y - 2), (18.5, 15)), 0.06)
        canvas.paint(image, ellipse((x, y - 2), (17, 13.5)), 0.33 * (1 + 0.12 * fine))
        process = smooth_closed(
            np.array([[-3, 24], [3, 24], [26, 12], [28, 17], [5, 32], [3, 44], [-3, 44]]) + self.spine
        )
        canvas.paint(image, process, 0.1)
        canvas.paint(image, process * [-1, 1] + [2 * x, 0], 0.1)
        canvas.paint(image, ellipse((x, y + 20), (9.5, 7.5)), 0.08)
        canvas.paint(image, ellipse((x, y + 20), (8.5, 6.5)), 0.78)
        canvas.paint(image, ellipse((x, y + 20.5), (5.2, 3.8)), 0.42)


def _shrunk(contour: Points, depth_mm: float) -> Points:
    """The contour moved inwards by about ``depth_mm``, along rays to the middle so that it cannot cross itself."""
    rays = contour - _CENTRE
    return np.asarray(_CENTRE + rays * (1 - depth_mm / np.linalg.norm(rays, axis=1, keepdims=True)))
