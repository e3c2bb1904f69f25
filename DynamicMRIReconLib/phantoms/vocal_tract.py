"""A speaking head in the midsagittal plane with the contrast of a spoiled gradient echo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.phantoms.articulation import ARTICULATORS, Utterance
from DynamicMRIReconLib.phantoms.dice import Dice
from DynamicMRIReconLib.phantoms.head import Head
from DynamicMRIReconLib.phantoms.plane import SlicePlane, background_phase
from DynamicMRIReconLib.phantoms.recent import Recent
from DynamicMRIReconLib.phantoms.scene import Shape, checked_shape, checked_times
from DynamicMRIReconLib.phantoms.shapes import (
    Canvas,
    Points,
    Pose,
    crossings_mm,
    ellipse,
    ribbon,
    smooth_closed,
    smooth_open,
)
from DynamicMRIReconLib.phantoms.texture import RandomField

Image = NDArray[np.floating[Any]]

_CONDYLE = np.array([44.0, -46.0])  # the jaw turns about this point
_JAW_DEG = 9.5

# Tongue: rest position, and displacement in mm at full activation of each component.
_TONGUE: tuple[tuple[float, ...], ...] = (
    #  x,   y,   tip       front      back       low       share of the jaw's turn
    (-42, -4, 1, -31, 6, -4, 10, 1, 9, 2, 1.00),  # tip
    (-36, -12, 1, -22, 4, -8, 10, 2, 9, 4, 1.00),  # blade
    (-26, -19, 3, -12, 1, -11, 9, 1, 8, 7, 1.00),
    (-13, -25, 1, -2, -2, -12, 8, -1, 8, 9, 0.95),
    (4, -29, 0, 1, -4, -9, 6, -7, 9, 8, 0.85),  # dorsum
    (20, -26, 0, 2, -8, -3, 5, -12, 9, 5, 0.70),
    (33, -13, 0, 2, -12, 2, 2, -9, 7, 2, 0.55),
    (39, 4, 0, 0, -13, 2, -1, -3, 6, 0, 0.45),  # root
    (40, 22, 0, 0, -9, 0, -2, 0, 5, 0, 0.30),
    (36, 38, 0, 0, -4, 0, 0, 0, 2, 0, 0.20),  # vallecula
    (18, 42, 0, 0, -1, 0, 0, 0, 0, 0, 0.45),  # floor
    (-10, 38, 0, 0, 0, 0, 0, 0, 0, 0, 0.85),
    (-30, 28, 0, 0, 0, 0, 0, 0, 0, 0, 1.00),
    (-35, 11, 3, -5, 1, 0, 2, 0, 2, 1, 1.00),
    (-38, 1, 3, -22, 4, -2, 7, 0, 6, 2, 1.00),  # under the tip
)
# Lower face and front of the neck: position and share of the jaw's turn.
_JAW = (
    (-45, -10, 1.0), (-50, -13, 1.0), (-55, -10, 1.0), (-56, -4, 1.0), (-51, 5, 1.0), (-51, 12, 1.0), (-54, 22, 1.0),
    (-51, 34, 1.0), (-42, 42, 1.0), (-26, 45, 0.85), (-4, 49, 0.6), (14, 56, 0.3), (24, 70, 0.1), (29, 90, 0.0),
    (34, 150, 0.0), (48, 150, 0.0), (48, 88, 0.0), (47, 76, 0.0), (47, 66, 0.0), (44, 55, 0.1), (39, 46, 0.2),
    (14, 36, 0.5), (-12, 28, 0.9), (-30, 16, 1.0), (-37, 2, 1.0), (-40, -5, 1.0),
)  # fmt: skip
_TIP_BASIS = np.array([0.125, 0.75, 0.125])


class VocalTractScene:
    """Midsagittal speaking head, anterior on the left of the image; speech never repeats and is defined for any time.

    Parameters
    ----------
    seed
        Anatomy, contrast, texture and what is said; 0 is the typical person.
    """

    #: what is said
    speech: Utterance

    title = "Speaking vocal tract, midsagittal"
    duration_s = 5.0

    def __init__(self, seed: int = 0) -> None:
        dice = Dice(seed, "vocal-tract")
        self.seed = dice.seed
        self._head = Head.draw(dice)
        table = np.array(_TONGUE, float)
        self._tongue_rest = np.add(dice.jitter(table[:, :2], 1.2), dice.jitter(np.zeros(2), 1.5))
        self._tongue_modes = table[:, 2:10].reshape(-1, 4, 2) * dice.about(1.0, 0.1)
        self._tongue_jaw = table[:, 10]
        jaw = np.array(_JAW, float)
        self._jaw_rest, self._jaw_share = dice.jitter(jaw[:, :2], 0.8), jaw[:, 2]
        self._jaw_deg = dice.about(_JAW_DEG, 1.5)
        self._tongue_signal, self._lip_signal = dice.about(0.62, 0.07), dice.about(0.62, 0.08)
        self._velum_mm = dice.about(7.5, 1.0)
        self._larynx_mm = dice.about(0.0, 5.0)
        self._muscle = RandomField(dice.rng, 17.0, 0.6)
        self._fall_off = dice.about(0.30, 0.10)
        self.speech = Utterance(int(dice.rng.integers(2**31)), dice.about(0.140, 0.018), dice.about(1.0, 0.08))
        self.plane = SlicePlane.from_axes(
            (dice.about(0, 0.05), -1.0, dice.about(0, 0.06)),
            (dice.about(0, 0.04), 0.0, -1.0),
            (dice.about(1, 2), dice.about(38, 6), dice.about(-62, 6)),
            (200.0, 200.0),
            6.0,
            Pose(dice.about(0.97, 0.05), dice.about(0.0, 6.0), (dice.about(0, 3.0), dice.about(0, 3.0))),
        )
        self._phase_seed = int(dice.rng.integers(2**31))
        self._head_images: Recent[tuple[Image, Image]] = Recent(2)

    def geometry(self, shape_zyx: Shape) -> Geometry:
        """Field of view 200 mm, slices of 6 mm (all show the same midsagittal scene)."""
        return self.plane.geometry(shape_zyx)

    def render(self, times_s: ArrayLike, shape_zyx: Shape) -> NDArray[np.complex64]:
        """Images (T, z, y, x); see ``Scene.render``. More than one slice repeats the same content."""
        shape, times = checked_shape(shape_zyx), checked_times(times_s)
        canvas = self.plane.canvas(shape)
        phase = background_phase(canvas, np.random.default_rng(self._phase_seed), self.plane.fov_mm)
        factor = phase * self._shading(canvas)
        still, opacity = self._head_images.get(canvas.shape, lambda: self._head.render(canvas))
        covered, open_part = still * opacity, 1 - opacity
        frames = np.empty((len(times), *shape), np.complex64)
        for t, position in enumerate(self.speech.positions(times)):
            frame = np.zeros(canvas.shape, np.float32)
            self._paint_speech(canvas, frame, dict(zip(ARTICULATORS, position.tolist(), strict=True)))
            frame *= open_part
            frame += covered
            frames[t] = frame * factor
        return frames

    def tongue_tip_ras_mm(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """(T, 3) RAS position of the tip of the tongue's outline."""
        tips = []
        for position in self.speech.positions(checked_times(times_s)):
            controls = self._tongue(dict(zip(ARTICULATORS, position.tolist(), strict=True)))
            tips.append(_TIP_BASIS @ controls[[-1, 0, 1]])
        return self.plane.to_ras(np.array(tips))

    @property
    def profile_line_ras_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Start and end of a line from the hard palate down through the blade of the tongue into the jaw."""
        start, end = self.plane.to_ras([[-24.0, -44.0], [-22.0, 34.0]])
        return start, end

    def tongue_surface_mm(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """(T,) position of the tongue's upper surface on ``profile_line_ras_mm``."""
        axes = self.plane.directions[:, :2]
        start, end = ((point - self.plane.centre_ras_mm) @ axes for point in self.profile_line_ras_mm)
        surface = []
        for position in self.speech.positions(checked_times(times_s)):
            contour = smooth_closed(self._tongue(dict(zip(ARTICULATORS, position.tolist(), strict=True))))
            surface.append(crossings_mm(self.plane.pose.place(contour), start, end)[0])
        return np.array(surface)

    def articulators(self, times_s: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Positions over time of each articulator by name (see ``articulation``)."""
        positions = self.speech.positions(checked_times(times_s))
        return {name: positions[:, i] for i, name in enumerate(ARTICULATORS)}

    def _turned(self, points: Points, share: NDArray[np.float64] | float, jaw: float) -> Points:
        angle = np.deg2rad(-self._jaw_deg * jaw) * np.asarray(share)
        arm = points - _CONDYLE
        c, s = np.cos(angle), np.sin(angle)
        turned = np.stack([c * arm[..., 0] - s * arm[..., 1], s * arm[..., 0] + c * arm[..., 1]], axis=-1)
        return np.asarray(_CONDYLE + turned)

    def _tongue(self, now: dict[str, float]) -> Points:
        activation = np.array([now["tip"], now["front"], now["back"], now["low"]])
        moved = self._tongue_rest + np.einsum("nmd,m->nd", self._tongue_modes, activation)
        return self._turned(moved, self._tongue_jaw, now["jaw"])

    def _shading(self, canvas: Canvas) -> Image:
        """Signal falls from the face coil to the back of the head."""
        x, y = canvas.x_mm[None, :] / 100, canvas.y_mm[:, None] / 100
        return np.asarray(1.05 - self._fall_off * (x + 0.4) - 0.10 * y * y, np.float32).clip(0.3, 1.2)

    def _paint_speech(self, canvas: Canvas, image: Image, now: dict[str, float]) -> None:
        head, jaw = self._head, now["jaw"]

        def fill(contour: Points, value: float, moved_mm: Points | None = None, field: float = 0.0) -> None:
            if moved_mm is None:
                canvas.paint(image, contour, value)
                return
            window, covered = canvas.cover(contour)
            offset = canvas.pose.place(moved_mm)
            grain = self._muscle.plane(canvas.x_mm[window[1]], canvas.y_mm[window[0]], (offset[0], offset[1]))
            part = image[window]
            part += covered * (np.float32(value) * (1 + np.float32(field) * grain) - part)

        lift = 6.5 * now["lips"] + 2.0 * now["round"]
        lower = self._turned(self._jaw_rest, self._jaw_share, jaw)
        lower[:4] += np.array([[0.3, -1], [0, -1], [-0.2, -1], [-0.2, -0.5]]) * lift
        lower[1:4, 0] -= 3.0 * now["round"]
        shift = self._turned(np.array([-40.0, 20.0]), 1.0, jaw) - [-40, 20]
        fill(smooth_closed(lower), head.tissue, shift, 0.06)
        fill(ribbon(smooth_open(lower[4:15] + np.array([1.5, -2.0])), 4.0), head.fat)
        chin = self._turned(ellipse((-39, 21), (6.5, 12), -18), 1.0, jaw)
        fill(chin, 0.06)
        fill(self._turned(ellipse((-39, 21), (4.6, 9.8), -18), 1.0, jaw), 1.2 * head.marrow)
        fill(self._turned(ellipse((-41.5, 1), (2.2, 8.5), -14), 1.0, jaw), 0.04)
        lip = smooth_closed(lower[[0, 1, 2, 3, 25]] * 0.8 + 0.2 * lower[[0, 1, 2, 3, 25]].mean(axis=0))
        fill(lip, self._lip_signal)

        # Larynx: the cartilage is dark, the vestibule in front of the back wall stays air.
        fill(self._turned(ellipse((31, 53), (6.0, 3.0), 25), 0.25, jaw), 0.95 * head.marrow)
        fill(ellipse((37, 78 + self._larynx_mm), (3.2, 10), -6), 0.16)
        fill(ellipse((45, 76 + self._larynx_mm), (5.5, 2.6), 18), head.tissue)
        fill(ellipse((53, 68 + self._larynx_mm), (4.2, 7.5), -8), head.tissue)

        controls = self._tongue(now)
        middle = controls.mean(axis=0)
        fill(smooth_closed(controls), 0.93 * self._tongue_signal)
        fill(smooth_closed(middle + 0.94 * (controls - middle)), self._tongue_signal, middle, 0.05)
        tip_of_leaf = controls[8] * 0.5 + np.array([24.0, 7.5])
        leaf = smooth_open(np.array([controls[9] + [4.0, 9.0], controls[9] * 0.6 + [19.5, 15.0], tip_of_leaf]), 8)
        fill(ribbon(leaf, np.linspace(4.6, 2.4, len(leaf))), 0.9 * head.tissue)

        lowered = float(np.clip(now["velum"], -0.05, 1.1))
        closed = np.array([[12, -38.5], [24, -41], [36, -44], [43, -40], [45, -31]], float)
        hanging = np.array([[12, -38.5], [23, -37], [31, -31], [37, -21], [39, -11]], float)
        velum = smooth_open(closed + lowered * (hanging - closed), 8)
        widths = np.interp(np.linspace(0, 1, len(velum)), [0, 0.25, 0.7, 1], [5.5, self._velum_mm, 6.5, 3.0])
        fill(ribbon(velum, widths), 1.05 * head.tissue)

        upper = np.array([[-46, -23], [-45, -15], [-49, -12], [-54, -12.5], [-57, -17], [-57, -27], [-50, -30]], float)
        upper[1:4] += np.array([0, 1.2]) * now["lips"] + np.array([-3.0, 0.0]) * now["round"]
        fill(smooth_closed(upper), self._lip_signal)
