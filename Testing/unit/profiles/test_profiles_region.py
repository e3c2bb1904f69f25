"""Curves and regions: places along the way, voxels inside, their brightness over time, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from DynamicMRIReconLib.data import Geometry, ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles import box_mask, closed_curve_mask, curve_profile, line_profile, region_curve

TURN = np.array([[0.8, -0.6, 0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])
GEOMETRY = Geometry.from_parts((1.5, 2.0, 4.0), (-20, 30, 11), TURN)
TIMES = np.array([0.0, 0.04, 0.1])


def ramp(slices: int = 3) -> ImageSeries:
    """Intensity = a linear function of RAS: trilinear sampling is exact on it."""
    k, j, i = np.meshgrid(np.arange(slices), np.arange(22), np.arange(25), indexing="ij")
    ras = GEOMETRY.to_ras(np.stack([i, j, k], -1))
    array = np.stack([ras @ (1, 2, 3) + 500, ras @ (-2, 0.5, 1) + 500, ras @ (0, 0, 1) + 500])
    return ImageSeries(array, GEOMETRY.affine, TIMES)


def test_a_bent_line_is_measured_along_the_way() -> None:
    corners = GEOMETRY.to_ras(np.array([[2, 2, 1], [12, 2, 1], [12, 9, 1]], float))
    mmode = curve_profile(ramp(), corners)
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    np.testing.assert_allclose(lengths, [15.0, 14.0])
    assert mmode.positions_mm[-1] == pytest.approx(29.0)
    assert mmode.points_ras_mm is not None
    np.testing.assert_allclose(mmode.intensity[:, 0], mmode.points_ras_mm @ (1, 2, 3) + 500, rtol=1e-5)
    beyond = mmode.positions_mm > 15
    expected = corners[1] + (mmode.positions_mm[beyond, None] - 15) / 14 * (corners[2] - corners[1])
    np.testing.assert_allclose(mmode.points_ras_mm[beyond], expected, atol=1e-9)


def test_two_points_are_a_line() -> None:
    ends = GEOMETRY.to_ras(np.array([[1, 2, 0.5], [13, 9, 1.3]], float))
    curve, line = curve_profile(ramp(), ends), line_profile(ramp(), *ends)
    np.testing.assert_array_equal(curve.intensity, line.intensity)
    np.testing.assert_array_equal(curve.positions_mm, line.positions_mm)


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((3, 2)), np.full((3, 3), np.nan), np.ones((4, 3)), "x"])
def test_refused_curves(points: object) -> None:
    with pytest.raises(InputError):
        curve_profile(ramp(), points)  # type: ignore[arg-type]


def test_voxels_within_a_closed_curve() -> None:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    circle = np.column_stack([12 + 6 * np.cos(angles), 10 + 4.5 * np.sin(angles), np.full(60, 1.2)])
    mask = closed_curve_mask(ramp(), GEOMETRY.to_ras(circle))
    y, x = np.mgrid[:22, :25]
    expected = ((x - 12) / 6) ** 2 + ((y - 10) / 4.5) ** 2
    assert not mask[[0, 2]].any()
    assert mask[1][expected < 0.97].all()
    assert not mask[1][expected > 1.0].any()


def test_a_curve_with_a_dent() -> None:
    corner = np.array([[2, 2, 1], [10, 2, 1], [10, 10, 1], [6, 4.5, 1], [2, 10, 1]], float)
    mask = closed_curve_mask(ramp(), GEOMETRY.to_ras(corner))[1]
    assert mask[4, 6]
    assert not mask[8, 6], "the dent lies outside"
    assert mask[8, 3]
    assert mask[8, 9]


def test_a_turned_box() -> None:
    mask = box_mask(ramp(), GEOMETRY.to_ras((12.0, 10.0, 1.0)), TURN, (1.5 * 4.2, 2.0 * 6.2, 4.0 * 1.2))
    k, j, i = np.nonzero(mask)
    assert (i.min(), i.max(), j.min(), j.max(), set(k)) == (10, 14, 7, 13, {1})
    assert mask.sum() == 5 * 7


def test_a_box_that_the_centre_of_a_thick_single_slice_misses() -> None:
    mask = box_mask(ramp(1), GEOMETRY.to_ras((12.0, 10.0, 0.4)), TURN, (6.3, 12.4, 1.0))
    assert mask.sum() == 5 * 7


def test_brightness_over_time() -> None:
    array = np.arange(24, dtype=np.float32).reshape(3, 1, 2, 4)
    series = ImageSeries(array, np.diag([1.5, 2, 4, 1.0]), TIMES, [False, True, False])
    mask = np.array([[[True, True, False, False], [False, False, False, True]]])
    curve = region_curve(series, mask)
    np.testing.assert_allclose(curve.mean, [8 / 3, 8 / 3 + 8, 8 / 3 + 16])
    np.testing.assert_allclose(curve.deviation, np.std([0, 1, 7]))
    np.testing.assert_array_equal(curve.minimum, [0, 8, 16])
    np.testing.assert_array_equal(curve.maximum, [7, 15, 23])
    np.testing.assert_array_equal(curve.synthetic, [False, True, False])
    assert (curve.voxels, curve.volume_mm3) == (3, pytest.approx(36.0))
    complex_series = ImageSeries(array * np.exp(0.7j), series.affine, TIMES)
    np.testing.assert_allclose(region_curve(complex_series, mask).mean, curve.mean, rtol=1e-5)


def test_refused_regions() -> None:
    series = ramp()
    with pytest.raises(InputError, match="no voxel"):
        region_curve(series, np.zeros((3, 22, 25), bool))
    with pytest.raises(InputError, match="shape"):
        region_curve(series, np.ones((22, 25), bool))
    with pytest.raises(InputError, match="three points"):
        closed_curve_mask(series, np.zeros((2, 3)))
    upright = GEOMETRY.to_ras(np.array([[2, 2, 0], [10, 2, 0], [10, 2, 2], [2, 2, 2]], float))
    with pytest.raises(InputError, match="in one slice"):
        closed_curve_mask(series, upright)
    with pytest.raises(InputError, match="in one slice"):
        closed_curve_mask(series, GEOMETRY.to_ras(np.array([[2, 2, 9], [10, 2, 9], [5, 9, 9]], float)))
