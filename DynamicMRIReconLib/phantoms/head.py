"""What stands still in a midsagittal slice of the head: face, nose, palate, brain, spine, back of the throat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.phantoms.dice import Dice
from DynamicMRIReconLib.phantoms.shapes import Canvas, Points, ellipse, ribbon, rotate, smooth_closed, smooth_open
from DynamicMRIReconLib.phantoms.texture import RandomField

Image = NDArray[np.floating[Any]]

# Image millimetres, x towards the back, y towards the feet; (0, 0) lies in the tongue.
_HEAD = (
    (-50, -130), (-57, -96), (-56, -82), (-51, -73), (-57, -62), (-68, -48), (-72, -42), (-68, -37), (-58, -36),
    (-55, -33), (-55, -28), (-51, -24), (-46, -21), (-42, -18), (-38, -20), (-36, -26), (-31, -31), (-22, -35),
    (-8, -37), (8, -37), (16, -36), (19, -39), (18, -46), (20, -56), (30, -63), (40, -61), (46, -52), (49, -40),
    (50, -22), (51, 0), (52, 26), (55, 50), (57, 80), (59, 150), (170, 150), (170, -150), (30, -150), (-30, -150),
)  # fmt: skip


@dataclass(frozen=True)
class Head:
    """Contours and signals of one person's head."""

    outline: Points
    tissue: float
    fat: float
    marrow: float
    brain: float
    air: float
    broad: RandomField
    fine: RandomField

    @classmethod
    def draw(cls, dice: Dice) -> Head:
        """A head from the dice."""
        return cls(
            outline=dice.jitter(np.asarray(_HEAD, float), 0.9),
            tissue=dice.about(0.36, 0.05),
            fat=dice.about(0.66, 0.1),
            marrow=dice.about(0.46, 0.08),
            brain=dice.about(0.46, 0.05),
            air=dice.about(0.02, 0.01),
            broad=RandomField(dice.rng, 26.0, 0.6),
            fine=RandomField(dice.rng, 5.0, 0.5, waves=48),
        )

    def render(self, canvas: Canvas) -> tuple[Image, Image]:
        """The still image and its opacity, both (y, x)."""
        mask = np.zeros(canvas.shape, np.float32)
        canvas.paint(mask, smooth_closed(self.outline), 1.0)
        broad = self.broad.plane(canvas.x_mm, canvas.y_mm)
        fine = self.fine.plane(canvas.x_mm, canvas.y_mm)
        image = np.asarray(self.tissue * (0.92 + 0.09 * broad + 0.07 * fine), np.float32)
        self._paint_face(canvas, image, fine)
        self._paint_neck(canvas, image, fine)
        self._paint_skull(canvas, image, fine)
        return np.clip(image, 0, 1.2), mask

    def _paint_face(self, canvas: Canvas, image: Image, fine: Image) -> None:
        profile = smooth_open(np.add(self.outline[:11], [2.6, 0.6]))
        canvas.paint(image, ribbon(profile, 4.5), self.fat * (0.95 + 0.03 * fine))
        nose = np.array([[-61, -44], [-54, -55], [-40, -66], [-12, -68], [10, -62], [16, -55], [16, -45], [0, -44],
                         [-28, -43], [-46, -40]], float)  # fmt: skip
        canvas.paint(image, smooth_closed(nose), self.tissue * (0.42 + 0.16 * fine))
        for height, begin, end, width in ((-48.0, -42, 12, 5.0), (-57.0, -40, 12, 5.5), (-64.0, -28, 6, 3.0)):
            turbinate = smooth_open(np.array([[begin, height + 2], [-15, height - 2], [end, height + 1]], float))
            canvas.paint(image, ribbon(turbinate, width), self.tissue * (1.05 + 0.12 * fine))
        palate = smooth_open(np.array([[-45, -30], [-38, -33], [-28, -38], [-10, -41], [13, -40.5]], float))
        canvas.paint(image, ribbon(palate, 2.4), 0.09)
        for sinus in (ellipse((-46, -93), (5, 10), 12), ellipse((22, -82), (12, 8), 10)):
            canvas.paint(image, sinus, self.air)

    def _paint_neck(self, canvas: Canvas, image: Image, fine: Image) -> None:
        cord = smooth_open(np.array([[56, -82], [64, -62], [77, -34], [83, 0], [85, 40], [86, 150]], float))
        canvas.paint(image, ribbon(cord, 17.0), 0.10)
        canvas.paint(image, ribbon(cord, 14.0), 0.17)
        canvas.paint(image, ribbon(cord, 9.0), self.brain * (1 + 0.05 * fine))
        canvas.paint(image, ellipse((58, -34), (4, 5.5), 70), self.marrow)
        dens = smooth_closed(np.array([[61, -46], [66, -44], [69, -30], [72, -18], [59, -15], [61, -30]], float))
        canvas.paint(image, dens, self.marrow * (1 + 0.08 * fine))
        for level in range(8):
            y = -6.0 + 17.5 * level
            x = 66.0 + 0.035 * (y + 6)
            box = np.array([[-7.5, -7], [0, -6.4], [7.5, -7], [7.2, 0], [7.5, 7], [0, 6.4], [-7.5, 7], [-7.2, 0]])
            canvas.paint(image, smooth_closed(1.28 * box + [x, y]), 0.12)
            canvas.paint(image, smooth_closed(1.08 * box + [x, y]), self.marrow * (1 + 0.10 * fine))
            canvas.paint(image, ellipse((x, y + 8.8), (7.6, 1.9)), 0.24)
            spinous = ribbon(smooth_open(np.array([[96, y + 4], [106, y + 9], [135, y + 18]], float)), 7.0)
            canvas.paint(image, spinous, 0.8 * self.marrow)

    def _paint_skull(self, canvas: Canvas, image: Image, fine: Image) -> None:
        brain = np.array([[-44, -130], [-46, -112], [-38, -102], [-12, -95], [14, -96], [40, -99], [84, -106],
                          [150, -114], [150, -150], [-40, -150]], float)  # fmt: skip
        canvas.paint(image, smooth_closed(np.add(brain, [0, 4])), 0.10)
        canvas.paint(image, smooth_closed(brain), self.brain * (1 + 0.14 * fine))
        clivus = smooth_closed(np.array([[33, -90], [40, -92], [53, -66], [58, -52], [52, -52], [40, -68]], float))
        canvas.paint(image, clivus, 1.25 * self.marrow)
        canvas.paint(image, ellipse((84, -84), (24, 22), 20), 0.14)
        canvas.paint(image, ellipse((84, -84), (22.5, 20), 20), self.brain * 0.9)
        for angle in range(100, 291, 19):
            leaf = np.array([68.0, -82.0]) + rotate(np.array([[6.0, 0.0], [17.0, 1.0], [28.0, 0.0]]), angle + 170)
            canvas.paint(image, ribbon(smooth_open(leaf), 1.1), 0.24)
        canvas.paint(image, ellipse((68, -83), (5, 4.5)), 0.15)
        canvas.paint(image, ellipse((54, -87), (10.5, 14), -15), self.brain * (1.02 + 0.05 * fine))
