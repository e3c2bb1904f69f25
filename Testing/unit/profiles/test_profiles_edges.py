"""Edge tracking against edges whose place, speed and width are known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.special import erf

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles import track_edge
from DynamicMRIReconLib.profiles.edges import _best_path

POSITIONS = np.arange(0, 60, 0.5)
# Uneven: velocities must use the true times.
TIMES = np.cumsum(np.tile([0.02, 0.05, 0.03], 10))
# 10 % to 90 % of a Gaussian step.
WIDTH_PER_SIGMA = 2.5631


def step(centre: np.ndarray, sigma: float = 1.0, height: float = 100.0) -> np.ndarray:
    return height * (0.5 + 0.5 * erf((POSITIONS[:, None] - centre[None, :]) / (sigma * np.sqrt(2))))


def motion(times: np.ndarray = TIMES) -> np.ndarray:
    return 30 + 8 * np.sin(2 * np.pi * times / 1.1)


def test_place_and_speed_of_a_moving_edge() -> None:
    track = track_edge(POSITIONS, TIMES, step(motion()))
    assert track.polarity == "rising"
    np.testing.assert_allclose(track.edge_mm, motion(), atol=0.05)
    true_speed = 8 * 2 * np.pi / 1.1 * np.cos(2 * np.pi * TIMES / 1.1)
    np.testing.assert_allclose(track.velocity_mm_per_s[1:-1], true_speed[1:-1], atol=2.5)
    np.testing.assert_allclose(track.velocity_mm_per_s, np.gradient(track.edge_mm, TIMES))


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_width(sigma: float, sign: int) -> None:
    track = track_edge(POSITIONS, TIMES, sign * step(motion(), sigma))
    assert track.polarity == ("rising" if sign > 0 else "falling")
    np.testing.assert_allclose(track.width_mm, WIDTH_PER_SIGMA * sigma, rtol=0.05)


def bar() -> np.ndarray:
    """A bright bar: a rising edge, and a stronger falling one 12 mm further on."""
    return step(motion(), height=60) - step(motion() + 12, height=100) + 40


@pytest.mark.parametrize(("polarity", "offset"), [("rising", 0), ("falling", 12), ("either", 12)])
def test_the_edge_asked_for_is_followed(polarity: Any, offset: float) -> None:
    track = track_edge(POSITIONS, TIMES, bar(), polarity=polarity)
    np.testing.assert_allclose(track.edge_mm, motion() + offset, atol=0.1)


def test_noise_and_a_flash_do_not_throw_the_path_off() -> None:
    rng = np.random.default_rng(2)
    intensity = step(motion()) + rng.normal(0, 8, (len(POSITIONS), len(TIMES)))
    # In one frame a stronger edge stands far away: a path without memory would jump there.
    intensity[POSITIONS > 54, 12] += 300
    strongest = POSITIONS[np.gradient(intensity, axis=0).argmax(axis=0)]
    assert abs(strongest[12] - motion()[12]) > 10
    track = track_edge(POSITIONS, TIMES, intensity)
    assert np.abs(track.edge_mm - motion()).max() < 1.0


def test_synthetic_frames_do_not_count_in_velocities() -> None:
    synthetic = np.zeros(len(TIMES), bool)
    synthetic[[4, 9, 10]] = True
    track = track_edge(POSITIONS, TIMES, step(motion()), synthetic)
    assert np.isnan(track.velocity_mm_per_s[synthetic]).all()
    assert np.isfinite(track.edge_mm).all()
    np.testing.assert_allclose(
        track.velocity_mm_per_s[~synthetic], np.gradient(track.edge_mm[~synthetic], TIMES[~synthetic])
    )
    included = track_edge(POSITIONS, TIMES, step(motion()), synthetic, include_synthetic=True)
    np.testing.assert_allclose(included.velocity_mm_per_s, np.gradient(track.edge_mm, TIMES))


def test_outside_of_the_image_is_no_edge() -> None:
    intensity = step(motion())
    intensity[:20] = np.nan
    intensity[110:] = np.nan
    np.testing.assert_allclose(track_edge(POSITIONS, TIMES, intensity).edge_mm, motion(), atol=0.1)


@pytest.mark.parametrize("level", [0.0, 37.0])
def test_a_flat_image_has_no_edge(level: float) -> None:
    track = track_edge(POSITIONS, TIMES, np.full((len(POSITIONS), len(TIMES)), level))
    for values in (track.edge_mm, track.velocity_mm_per_s, track.width_mm):
        assert np.isnan(values).all()


def test_one_frame_has_a_place_but_no_speed() -> None:
    track = track_edge(POSITIONS, TIMES[:1], step(motion())[:, :1])
    assert track.edge_mm[0] == pytest.approx(motion()[0], abs=0.05)
    assert np.isnan(track.velocity_mm_per_s).all()


def test_the_path_is_the_best_of_all_paths() -> None:
    """Against every possible path of a small M-mode, with uneven times."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        strength, usable = rng.random((5, 5)), np.array([True, True, True, True, rng.random() > 0.5])
        scale = rng.uniform(0.5, 3, 4)
        path, total = _best_path(strength, usable, 0.7, scale)

        def worth(candidate: tuple[int, ...]) -> float:
            moves = np.diff(candidate) * 0.7 / scale  # noqa: B023  called at once
            if not usable[list(candidate)].all() or (np.abs(moves) > 3 + 0.7 / scale).any():  # noqa: B023
                return -np.inf
            return float(strength[candidate, range(5)].sum() - (moves**2).sum())  # noqa: B023

        best = max(itertools.product(range(5), repeat=5), key=worth)
        assert total == pytest.approx(worth(best))
        assert tuple(path) == best


@pytest.mark.parametrize("options", [{"polarity": "up"}, {"smoothing_mm": 0}, {"speed_scale_mm_per_s": -1}])
def test_refused_options(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        track_edge(POSITIONS, TIMES, step(motion()), **options)


def test_a_disc_that_grows_in_an_image() -> None:
    """From voxels to millimetres: the radius of a disc, off the grid, along an oblique line from its centre."""
    radii = 9 + 4 * np.sin(2 * np.pi * TIMES / 1.1)
    y, x = np.mgrid[:48, :48] * 1.25
    distance = np.hypot(x - 29.3, y - 31.1)
    frames = 0.5 - 0.5 * erf((distance - radii[:, None, None]) / (1.2 * np.sqrt(2)))
    series = ImageSeries(frames[:, None], np.diag([1.25, 1.25, 6, 1.0]), TIMES)
    mmode = dmr.line_profile(series, (29.3, 31.1, 0), (29.3 + 16, 31.1 + 14, 0))
    assert mmode.edge is not None
    assert mmode.edge.polarity == "falling"
    np.testing.assert_allclose(mmode.edges_mm, radii, atol=0.15)
    assert np.median(mmode.edge_width_mm) == pytest.approx(WIDTH_PER_SIGMA * 1.2, rel=0.15)
