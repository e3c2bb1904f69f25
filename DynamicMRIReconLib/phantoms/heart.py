"""A beating heart in a chest, seen in short-axis slices with the contrast of a balanced steady-state cine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.phantoms.cardiac_cycle import CardiacCycle
from DynamicMRIReconLib.phantoms.chest import Chest
from DynamicMRIReconLib.phantoms.dice import Dice
from DynamicMRIReconLib.phantoms.plane import SlicePlane, background_phase
from DynamicMRIReconLib.phantoms.recent import Recent
from DynamicMRIReconLib.phantoms.scene import Shape, checked_shape, checked_times
from DynamicMRIReconLib.phantoms.shapes import Canvas, Points, Pose, crossings_mm, ellipse, rotate, smooth_closed
from DynamicMRIReconLib.phantoms.texture import RandomField

Image = NDArray[np.floating[Any]]
_ANGLES = np.linspace(0, 2 * np.pi, 120, endpoint=False)
_LENGTH_MM = 70.0  # from the middle slice to the apex


class HeartScene:
    """Short-axis beating heart; image x points to the patient's left, y to the back, RV and liver on the right.

    Parameters
    ----------
    seed
        Anatomy, contrast, texture and motion; 0 is the typical person.
    respiration_mm
        Half the travel of heart and liver over a breath, [0, 10] mm; 0 makes the scene exactly cyclic.

    Raises
    ------
    InputError
        If an option is out of range.
    """

    title = "Beating heart, short axis"

    def __init__(self, seed: int = 0, *, respiration_mm: float = 0.6) -> None:
        if not 0 <= respiration_mm <= 10:
            raise InputError(f"respiration_mm must be between 0 and 10 mm, not {respiration_mm}.")
        dice = Dice(seed, "heart")
        self.seed, self.respiration_mm = dice.seed, float(respiration_mm)
        self.cycle = CardiacCycle(dice.about(0.95, 0.15), dice.about(0.78, 0.07))
        self.duration_s = self.cycle.period_s
        self._breath_s = dice.about(4.2, 0.8)
        self.ejection_fraction = dice.about(0.60, 0.08)
        self._endo_mm = dice.about(24.0, 3.0)
        self._wall_mm = dice.about(8.5, 1.2)
        self._thickening = dice.about(0.15, 0.08)
        self._centre = np.array([dice.about(50.0, 5.0), dice.about(-6.0, 4.0)])
        self._shift = np.array([dice.about(-2.5, 1.0), dice.about(-1.5, 1.0)])
        self._twist_deg = dice.about(7.0, 3.0)
        self._septum_deg = dice.about(200.0, 9.0)
        self._rv_mm = dice.about(25.0, 3.0)
        self._rv_ejection = dice.about(0.42, 0.06)
        self._rv_span_deg = dice.about(80.0, 6.0)
        self._blood, self._myocardium = dice.about(0.86, 0.06), dice.about(0.31, 0.04)
        self._harmonics = [(n, dice.rng.uniform(0.3, 1) * a, dice.rng.uniform(0, 2 * np.pi)) for n, a in
                           ((2, 0.045), (3, 0.02), (5, 0.012), (9, 0.012), (13, 0.010))]  # fmt: skip
        self._papillary_deg = (dice.about(52.0, 8.0), dice.about(-48.0, 8.0))
        self._papillary_mm = (dice.about(4.6, 0.7), dice.about(4.0, 0.7))
        self._chest = Chest.draw(dice)
        self._flow = RandomField(dice.rng, 22.0, 0.5)
        self._grain = RandomField(dice.rng, 7.0, 0.5)
        self._shade = np.array([dice.about(-0.22, 0.08), dice.about(0.06, 0.06)], np.float32)
        tilt = [dice.about(0, 0.08) for _ in range(6)]
        self.plane = SlicePlane.from_axes(
            np.array([-0.76, -0.38, 0.53]) + tilt[:3],
            np.array([0.28, -0.93, -0.25]) + tilt[3:],
            (dice.about(-24, 8), dice.about(12, 8), dice.about(-18, 10)),
            (320.0, 320.0),
            8.0,
            Pose(dice.about(0.96, 0.05), dice.about(0.0, 10.0), (dice.about(0.0, 2.0), dice.about(-20.0, 6.0))),
        )
        self._phase_seed = int(dice.rng.integers(2**31))
        self._chest_images: Recent[tuple[Image, Image]] = Recent(2)

    def geometry(self, shape_zyx: Shape) -> Geometry:
        """Field of view 320 mm, slices every 8 mm from apex (first) to base."""
        return self.plane.geometry(shape_zyx)

    def render(self, times_s: ArrayLike, shape_zyx: Shape) -> NDArray[np.complex64]:
        """Images (T, z, y, x); see ``Scene.render``."""
        shape, times = checked_shape(shape_zyx), checked_times(times_s)
        canvas = self.plane.canvas(shape)
        rng = np.random.default_rng(self._phase_seed)
        factor = background_phase(canvas, rng, self.plane.fov_mm) * self._shading(canvas)
        frames = np.empty((len(times), *shape), np.complex64)
        image, mask = self._chest_images.get(canvas.shape, lambda: self._chest.render(canvas))
        for k in range(shape[0]):
            z_mm = (k - shape[0] // 2) * self.plane.slice_spacing_mm
            for t, time in enumerate(times):
                frame = image.copy()
                self._paint_liver(canvas, frame, mask, time, z_mm)
                self._paint_heart(canvas, frame, time, z_mm)
                np.multiply(frame, factor, out=frames[t, k])
        return frames

    def lv_contours_mm(self, time_s: float, z_mm: float = 0.0) -> tuple[Points, Points]:
        """Endocardial and epicardial contour (120, 2) in the slice plane, papillary muscles counted as blood."""
        endo, epi = self._contours(time_s, z_mm)
        return self.plane.pose.place(endo), self.plane.pose.place(epi)

    def _contours(self, time_s: float, z_mm: float = 0.0) -> tuple[Points, Points]:
        c = float(self.cycle.contraction(time_s))
        taper = _taper(z_mm)
        wall = np.array([amplitude * np.cos(n * _ANGLES + at) for n, amplitude, at in self._harmonics])
        area = 1 - self.ejection_fraction * c
        endo = self._endo_mm * taper * np.sqrt(area) * (1 + wall[:2].sum(axis=0) + (0.6 + c) * wall[2:].sum(axis=0))
        outer = (self._endo_mm + self._wall_mm) ** 2 - self._endo_mm**2
        growth = outer * (1 + self._thickening * c) * max(taper, 0.35)
        epi = np.sqrt((self._endo_mm * taper) ** 2 * area + growth) * (1 + 0.6 * wall[:2].sum(axis=0))
        centre = self._lv_centre(time_s)
        angles = _ANGLES + np.deg2rad(self._twist_deg * c)
        direction = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return centre + endo[:, None] * direction, centre + epi[:, None] * direction

    def lv_radius_mm(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """(T,) radius of the circle with the area of the endocardial contour, in the middle slice."""
        radii = [np.sqrt(_area(self.lv_contours_mm(t)[0]) / np.pi) for t in checked_times(times_s)]
        return np.array(radii)

    @property
    def profile_line_ras_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Start and end of a line from the right ventricle through the middle of the left into the lung."""
        along = rotate((1.0, 0.0), self._septum_deg - 180.0)
        middle = self._centre + 0.5 * self._shift
        return self.plane.to_ras(middle - 55 * along), self.plane.to_ras(middle + 55 * along)

    def lv_walls_mm(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """(T, 4) positions on ``profile_line_ras_mm``: septum outer and inner, lateral wall inner and outer face."""
        axes = self.plane.directions[:, :2]
        start, end = ((point - self.plane.centre_ras_mm) @ axes for point in self.profile_line_ras_mm)
        walls = []
        for time in checked_times(times_s):
            endo, epi = self.lv_contours_mm(time)
            inner, outer = crossings_mm(endo, start, end), crossings_mm(epi, start, end)
            walls.append((outer[0], inner[0], inner[-1], outer[-1]))
        return np.array(walls)

    def _breath_mm(self, time_s: float) -> float:
        return self.respiration_mm * float(np.sin(2 * np.pi * time_s / self._breath_s))

    def _lv_centre(self, time_s: float) -> Points:
        breath = np.array([-0.3, 0.8]) * self._breath_mm(time_s)
        return np.asarray(self._centre + self._shift * self.cycle.contraction(time_s) + breath)

    def _shading(self, canvas: Canvas) -> Image:
        x, y = canvas.x_mm[None, :] / 160, canvas.y_mm[:, None] / 160
        return np.asarray(0.86 + self._shade[1] * x + self._shade[0] * y - 0.08 * (x * x + y * y), np.float32)

    def _paint_liver(self, canvas: Canvas, image: Image, mask: Image, time_s: float, z_mm: float) -> None:
        shift = np.array([0.4, -0.9]) * self._breath_mm(time_s)
        dome = np.array([(-140, 10), (-100, -28), (-58, -32), (-24, -2), (-14, 22), (-20, 52), (-34, 78), (-80, 122),
                         (-150, 100)], float)  # fmt: skip
        grown = dome + (dome - [-150, 60]) * np.clip(-0.003 * z_mm, -0.2, 0.12) + shift
        contour = smooth_closed(grown)
        window = canvas.cover(contour)[0]
        value = np.zeros(canvas.shape, np.float32)
        grain = self._chest.fine.plane(canvas.x_mm[window[1]], canvas.y_mm[window[0]], tuple(canvas.pose.place(shift)))
        value[window] = self._chest.liver * (1 + 0.05 * grain)
        canvas.paint(image, contour, value, mask)
        for vessel in self._chest.liver_vessels:
            canvas.paint(image, vessel + shift, 0.62 * self._blood, mask)

    def _paint_heart(self, canvas: Canvas, image: Image, time_s: float, z_mm: float) -> None:
        c, flow = float(self.cycle.contraction(time_s)), float(self.cycle.flow(time_s))
        pulse = 1 + 0.06 * float(np.sin(2 * np.pi * (float(self.cycle.phase(time_s)) - 0.1)))
        spine = self._chest.spine
        for centre, radii, signal in (
            (np.add(spine, [26, -20]), (11.5 * pulse, 11.0 * pulse), 0.9 - 0.2 * flow),
            (np.array([-30.0, 48.0]), (13.0, 9.5 / pulse), 0.78 - 0.1 * flow),
        ):
            canvas.paint(image, ellipse(centre, np.add(radii, 1.4)), 0.14)
            canvas.paint(image, ellipse(centre, radii), signal * self._blood)

        endo, epi = self._contours(time_s, z_mm)
        centre = self._lv_centre(time_s)
        sac, free_wall, cavity = self._right_ventricle(c, z_mm, centre, epi)
        fat = self._chest.fat
        canvas.paint(image, sac + (sac - centre) * 0.05, 0.10)
        canvas.paint(image, sac + (sac - centre) * 0.03, 0.85 * fat)
        placed = canvas.pose.place(centre)
        around = (self._endo_mm + self._wall_mm) * 3.4
        x, y = (np.flatnonzero(np.abs(axis - at) < around) for axis, at in ((canvas.x_mm, placed[0]),
                                                                            (canvas.y_mm, placed[1])))  # fmt: skip
        if not (len(x) and len(y)):
            return
        window = (slice(y[0], y[-1] + 1), slice(x[0], x[-1] + 1))
        xs, ys = canvas.x_mm[window[1]], canvas.y_mm[window[0]]
        muscle = np.zeros(canvas.shape, np.float32)
        muscle[window] = self._myocardium * (1 + 0.05 * self._grain.plane(xs, ys, tuple(placed), 1 - 0.15 * c))
        turn = 2 * np.pi * float(self.cycle.phase(time_s))
        drift = (placed[0] + 9 * np.cos(turn), placed[1] + 9 * np.sin(turn))
        blood = np.zeros(canvas.shape, np.float32)
        blood[window] = self._blood * (1 - 0.05 * flow + (0.03 + 0.04 * flow) * self._flow.plane(xs, ys, drift))
        canvas.paint(image, free_wall, muscle)
        canvas.paint(image, cavity, blood * np.float32(0.96))
        canvas.paint(image, epi, muscle)
        canvas.paint(image, endo, blood)
        radius = float(np.sqrt(_area(endo) / np.pi))
        if _taper(z_mm) > 0.45:
            for angle, size in zip(self._papillary_deg, self._papillary_mm, strict=True):
                reach = max(radius - 1.25 * size, 0.35 * radius)
                at = centre + rotate((reach, 0.0), angle + self._twist_deg * c)
                canvas.paint(image, ellipse(at, (size * (1 + 0.12 * c), size * 0.8), angle, 40), muscle)

    def _right_ventricle(self, c: float, z_mm: float, centre: Points, epi: Points) -> tuple[Points, Points, Points]:
        """Outline of the whole heart, of the RV free wall and of the RV cavity (a crescent on the septum)."""
        taper = _taper(z_mm)
        width = self._rv_mm * (1 - self._rv_ejection * c) * taper
        angles = np.deg2rad(self._septum_deg + np.linspace(-self._rv_span_deg, self._rv_span_deg, 81))
        s = np.linspace(0, 1, 81)
        bulge = np.sin(np.pi * s**0.8) ** 0.75
        radius = float(np.sqrt(_area(epi) / np.pi))
        direction = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        inner = centre + (radius * 0.93) * direction

        def crescent(extra: float) -> Points:
            outer = centre + (radius - 1.0 + (width + extra) * bulge + 0.25 * extra)[:, None] * direction
            return np.concatenate([outer, inner[::-1]])

        reach = radius + 2.0 + np.interp(_wrapped(_ANGLES, np.deg2rad(self._septum_deg)), angles, (width + 2.5) * bulge,
                                         left=0.0, right=0.0)  # fmt: skip
        rounded = np.real(np.fft.ifft(np.fft.fft(reach) * np.exp(-0.5 * (np.fft.fftfreq(120) * 120 / 9) ** 2)))
        sac = centre + rounded[:, None] * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
        return sac, crescent(2.4), crescent(0.0)


def _taper(z_mm: float) -> float:
    """Size of the heart in a slice ``z_mm`` from the middle one (towards the base if positive), relative to it."""
    if z_mm > 0:
        return float(1 - 0.10 * min(z_mm / 40, 1.0) ** 2)
    return float(np.sqrt(max(1 - (z_mm / _LENGTH_MM) ** 2, 0.02)))


def _area(contour: Points) -> float:
    following = np.roll(contour, -1, axis=0)
    return float(abs(np.sum(contour[:, 0] * following[:, 1] - contour[:, 1] * following[:, 0])) / 2)


def _wrapped(angles: NDArray[np.float64], about: float) -> NDArray[np.float64]:
    return np.asarray(about + np.mod(angles - about + np.pi, 2 * np.pi) - np.pi)
