"""Edges of the moving phantoms: position within half a pixel and velocity within a tenth of what the phantom knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.phantoms.heart import HeartScene
from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene
from DynamicMRIReconLib.profiles import line_profile

Truth = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def images(scene: HeartScene | VocalTractScene, times_s: NDArray[np.float64], size: int) -> ImageSeries:
    shape = (1, size, size)
    return ImageSeries(np.abs(scene.render(times_s, shape)), scene.geometry(shape).affine, times_s)


def check(
    scene: HeartScene | VocalTractScene, series: ImageSeries, truth: Truth, first_mm: float, last_mm: float, edge: str
) -> None:
    """Measure from ``first_mm`` to ``last_mm`` on the phantom's line and compare with ``truth`` on that line."""
    start, end = scene.profile_line_ras_mm
    along = (end - start) / np.linalg.norm(end - start)
    mmode = line_profile(series, start + first_mm * along, start + last_mm * along, edge=edge)  # type: ignore[arg-type]
    times = series.times_s
    pixel = float(series.geometry.spacing_mm[0])
    off = mmode.edges_mm + first_mm - truth(times)
    assert np.abs(off).max() < 0.5 * pixel, f"{np.abs(off).max() / pixel:.2f} pixels off"
    speed = (truth(times + 1e-3) - truth(times - 1e-3)) / 2e-3
    error = (mmode.velocity_mm_per_s - speed)[1:-1]
    share = float(np.sqrt((error**2).mean()) / np.abs(speed).max())
    assert share < 0.10, f"velocity is {100 * share:.0f} % of the fastest off"


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("wall", ["septum", "lateral"])
def test_walls_of_the_left_ventricle(wall: str, seed: int) -> None:
    scene = HeartScene(seed, respiration_mm=0)
    series = images(scene, np.arange(0, scene.duration_s, 0.03), 128)
    walls = scene.lv_walls_mm(series.times_s)
    middle = (walls[:, 1].max() + walls[:, 2].min()) / 2
    if wall == "septum":
        check(scene, series, lambda t: scene.lv_walls_mm(t)[:, 1], walls[:, 0].min() + 2, middle, "rising")
    else:
        check(scene, series, lambda t: scene.lv_walls_mm(t)[:, 2], middle, walls[:, 3].max() - 2, "falling")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_surface_of_the_tongue(seed: int) -> None:
    scene = VocalTractScene(seed)
    series = images(scene, np.arange(0, 2, 0.02), 128)
    length = float(np.linalg.norm(np.subtract(*scene.profile_line_ras_mm)))
    check(scene, series, scene.tongue_surface_mm, 0.0, length, "rising")


def test_the_beat_turns_at_end_systole() -> None:
    """The septum's inner face is furthest from the right ventricle when the heart is contracted most."""
    scene = HeartScene(0, respiration_mm=0)
    series = images(scene, np.arange(0, 2 * scene.duration_s, 0.03), 128)
    walls = scene.lv_walls_mm(series.times_s)
    start, end = scene.profile_line_ras_mm
    along = (end - start) / np.linalg.norm(end - start)
    middle = (walls[:, 1].max() + walls[:, 2].min()) / 2
    mmode = line_profile(series, start + middle * along, start + (walls[:, 3].max() - 2) * along, edge="falling")
    nearest = [point for point in mmode.turning_points if point.kind == "nearest"]
    times = np.linspace(0, scene.duration_s, 2000)
    systole = float(times[scene.lv_walls_mm(times)[:, 2].argmin()])
    np.testing.assert_allclose([point.time_s for point in nearest], [systole, systole + scene.duration_s], atol=0.04)
