"""Sampling along a line: exact places and values, what is outside, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import Geometry, ImageSeries
from DynamicMRIReconLib.errors import InputError

rng = np.random.default_rng(11)
TURN = np.array([[0.8, -0.6, 0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])
GEOMETRY = Geometry.from_parts((1.5, 2.0, 4.0), (-20, 30, 11), TURN)
TIMES = np.array([0.0, 0.04, 0.1])


def ramp(slices: int = 6) -> ImageSeries:
    """Intensity = a linear function of RAS, a different one in each frame: trilinear sampling is exact on it."""
    k, j, i = np.meshgrid(np.arange(slices), np.arange(12), np.arange(15), indexing="ij")
    ras = GEOMETRY.to_ras(np.stack([i, j, k], -1))
    array = np.stack([ras @ (1, 2, 3) + 500, ras @ (-2, 0.5, 1) + 500, ras @ (0, 0, 1) + 500])
    return ImageSeries(array, GEOMETRY.affine, TIMES)


def test_geometry_is_exact() -> None:
    start, end = GEOMETRY.to_ras((1.2, 2.4, 0.5)), GEOMETRY.to_ras((13.1, 9.7, 4.3))
    mmode = dmr.line_profile(ramp(), start, end)
    assert mmode.valid.all()
    length = np.linalg.norm(end - start)
    assert mmode.positions_mm[0] == 0
    assert mmode.positions_mm[-1] == pytest.approx(length)
    points = start + mmode.positions_mm[:, None] / length * (end - start)
    for frame, normal in enumerate([(1, 2, 3), (-2, 0.5, 1), (0, 0, 1)]):
        np.testing.assert_allclose(mmode.intensity[:, frame], points @ normal + 500, rtol=1e-5)
    np.testing.assert_array_equal(mmode.times_s, TIMES)
    np.testing.assert_array_equal(mmode.start_ras_mm, start)


def test_agrees_with_scipys_interpolation() -> None:
    array = rng.random((2, 6, 12, 15)).astype(np.float32)
    series = ImageSeries(array, GEOMETRY.affine, [0, 1])
    ijk = np.array([[0, 0, 0], [14, 11, 5]], float)
    mmode = dmr.line_profile(series, *GEOMETRY.to_ras(ijk), step_mm=0.3)
    path = ijk[0] + np.linspace(0, 1, len(mmode.positions_mm))[:, None] * (ijk[1] - ijk[0])
    for frame in range(2):
        expected = map_coordinates(array[frame].astype(float), path[:, ::-1].T, order=1, mode="nearest")
        np.testing.assert_allclose(mmode.intensity[:, frame], expected, atol=1e-5)


def test_default_step_is_half_the_smaller_pixel() -> None:
    mmode = dmr.line_profile(ramp(), GEOMETRY.to_ras((2, 2, 2)), GEOMETRY.to_ras((10, 2, 2)))
    np.testing.assert_allclose(np.diff(mmode.positions_mm), 0.75)
    coarse = dmr.line_profile(ramp(), GEOMETRY.to_ras((2, 2, 2)), GEOMETRY.to_ras((10, 2, 2)), step_mm=5)
    np.testing.assert_allclose(coarse.positions_mm, [0, 4, 8, 12])


def test_samples_outside_are_marked() -> None:
    mmode = dmr.line_profile(ramp(), GEOMETRY.to_ras((-4, 5, 2)), GEOMETRY.to_ras((18, 5, 2)), step_mm=0.75)
    index = -4 + mmode.positions_mm / 1.5
    np.testing.assert_array_equal(mmode.valid, (index >= -1e-4) & (index <= 14 + 1e-4))
    assert np.isnan(mmode.intensity[~mmode.valid]).all()
    assert np.isfinite(mmode.intensity[mmode.valid]).all()


@pytest.mark.parametrize(("off_voxels", "inside"), [(0, True), (1e-6, True), (0.49, True), (-0.49, True), (0.6, False)])
def test_a_single_slice_takes_lines_within_half_its_thickness(off_voxels: float, inside: bool) -> None:
    series = ramp(slices=1)
    ends = GEOMETRY.to_ras((2, 3, off_voxels)), GEOMETRY.to_ras((12, 3, off_voxels))
    if not inside:
        with pytest.raises(InputError, match="within the slice"):
            dmr.line_profile(series, *ends)
        return
    mmode = dmr.line_profile(series, *ends)
    in_plane = dmr.line_profile(series, GEOMETRY.to_ras((2, 3, 0)), GEOMETRY.to_ras((12, 3, 0)))
    assert mmode.valid.all()
    np.testing.assert_allclose(mmode.intensity, in_plane.intensity, rtol=1e-4)


def test_complex_series_are_sampled_as_magnitudes() -> None:
    """Interpolating the complex values would cancel neighbours of opposite phase."""
    array = np.ones((1, 1, 4, 4), complex)
    array[..., ::2] = -1
    series = ImageSeries(array, np.eye(4), [0.0])
    np.testing.assert_allclose(dmr.line_profile(series, (0, 1, 0), (3, 1, 0), step_mm=0.1).intensity, 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("start", "end", "options", "words"),
    [
        ((1, 2, 3), (1, 2, 3), {}, "same point"),
        ((1, 2), (1, 2, 3), {}, "start must be three finite numbers"),
        ((1, 2, 3), (1, np.nan, 3), {}, "end must be three finite numbers"),
        ("abc", (1, 2, 3), {}, "start must be three numbers"),
        ((0, 0, 0), (9, 0, 0), {"step_mm": 0}, "above 0 mm"),
        ((0, 0, 0), (9, 0, 0), {"step_mm": -1}, "above 0 mm"),
        ((0, 0, 0), (9, 0, 0), {"step_mm": np.nan}, "above 0 mm"),
        ((0, 0, 0), (9, 0, 0), {"step_mm": 1e-6}, "too many samples"),
        ((500, 0, 0), (600, 0, 0), {}, "wholly outside"),
        ((0, 0, 0), (9, 0, 0), {"edge": "sideways"}, "rising, falling or either"),
    ],
)
def test_refused_lines(start: tuple, end: tuple, options: dict, words: str) -> None:
    series = ImageSeries(np.ones((2, 3, 12, 15)), np.eye(4), [0, 1])
    with pytest.raises(InputError, match=words):
        dmr.line_profile(series, start, end, **options)


def test_without_an_edge_asked_for_there_is_none() -> None:
    mmode = dmr.line_profile(ramp(), GEOMETRY.to_ras((2, 2, 2)), GEOMETRY.to_ras((10, 2, 2)), edge=None)
    assert mmode.edge is None
    assert np.isnan(mmode.edges_mm).all()
    assert np.isnan(mmode.velocity_mm_per_s).all()
