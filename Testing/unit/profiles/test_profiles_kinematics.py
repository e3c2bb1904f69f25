"""Acceleration, turning points and sharpness against motions that are known in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import erf

from DynamicMRIReconLib.profiles import MMode, sharpness, turning_points
from DynamicMRIReconLib.profiles.kinematics import acceleration

UNEVEN = np.cumsum(np.tile([0.02, 0.05, 0.03], 12))
NONE = np.zeros(len(UNEVEN), bool)


def test_acceleration_of_a_fall_is_exact_at_uneven_times() -> None:
    found = acceleration(3 - 20 * UNEVEN + 450 * UNEVEN**2, UNEVEN, NONE)
    np.testing.assert_allclose(found, 900, rtol=1e-6)


def test_acceleration_of_a_swing() -> None:
    turns = 2 * np.pi / 1.1
    times = np.arange(0, 2.2, 0.02)
    found = acceleration(8 * np.sin(turns * times), times, np.zeros(len(times), bool))
    truth = -8 * turns**2 * np.sin(turns * times)
    assert np.abs(found - truth)[2:-2].max() < 0.02 * np.abs(truth).max()


def test_noise_is_smaller_than_in_a_second_difference() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(200) * 0.02
    noise = rng.normal(0, 0.1, 200)
    found = acceleration(noise, times, np.zeros(200, bool))
    assert found[2:-2].std() < 0.3 * (np.diff(noise, 2) / 0.02**2).std()


def test_frames_left_out_have_none_and_do_not_count() -> None:
    edge = 450 * UNEVEN**2
    left_out = NONE.copy()
    left_out[[3, 7, 8]] = True
    edge[left_out] = 99.0
    found = acceleration(edge, UNEVEN, left_out)
    assert np.isnan(found[left_out]).all()
    np.testing.assert_allclose(found[~left_out], 900, rtol=1e-6)
    assert np.isnan(acceleration(edge[:2], UNEVEN[:2], NONE[:2])).all()
    assert np.isnan(acceleration(np.full(4, np.nan), UNEVEN[:4], NONE[:4])).all()


def test_turning_points_of_two_beats() -> None:
    times = np.arange(0, 2.0, 0.02)
    edge = 20 - 6 * np.cos(2 * np.pi * times) + 0.3 * np.sin(40 * times)
    flags = np.zeros(len(times), bool)
    flags[25] = True
    points = turning_points(edge, times, flags)
    assert [point.kind for point in points] == ["furthest", "nearest", "furthest"]
    np.testing.assert_allclose([point.time_s for point in points], [0.5, 1.0, 1.5], atol=0.06)
    assert all(point.frame != 25 for point in points), "a synthetic frame is no turning point"
    assert turning_points(np.full(5, np.nan), times[:5], flags[:5]) == []


def moving_step(sigma_mm: float = 1.0, blur_s: float = 0.0) -> MMode:
    """An edge that moves at 40 mm/s, there and back; ``blur_s``: each frame is the mean over so long."""
    positions, times = np.arange(0, 60, 0.5), np.arange(0, 1.6, 0.02)

    def centre(t: np.ndarray) -> np.ndarray:
        return 15 + 40 * np.abs((t + 0.8) % 1.6 - 0.8)

    shutter = np.linspace(-0.5, 0.5, 31) * blur_s
    frames = [
        (0.5 + 0.5 * erf((positions[:, None] - centre(t + shutter)) / (sigma_mm * np.sqrt(2)))).mean(axis=1)
        for t in times
    ]
    valid = np.ones(len(positions), bool)
    mmode = MMode(
        positions, times, np.array(frames, np.float32).T, valid, np.zeros(len(times), bool), np.zeros(3), np.ones(3)
    )
    return mmode.with_edge("rising")


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_a_sharp_edge_rises_as_fast_as_it_moves(sigma: float) -> None:
    found = sharpness(moving_step(sigma))
    width = 2.5631 * sigma
    assert found.width_mm == pytest.approx(width, rel=0.05)
    assert found.rise_time_s == pytest.approx(width / 40, rel=0.15)
    assert found.passages > 50


def test_blur_in_time_makes_it_longer() -> None:
    sharp, blurred = sharpness(moving_step()), sharpness(moving_step(blur_s=0.12))
    # 80 % of a shutter that moves 4.8 mm, and some of the edge itself.
    assert blurred.rise_time_s > sharp.rise_time_s + 0.02
    assert blurred.rise_time_s == pytest.approx(np.hypot(0.8 * 0.12, 2.5631 / 40), rel=0.2)
    assert blurred.width_mm > sharp.width_mm


def test_without_an_edge_there_is_no_sharpness() -> None:
    mmode = moving_step()
    found = sharpness(replace(mmode, edge=None))
    assert np.isnan([found.width_mm, found.rise_time_s]).all()
    assert found.passages == 0
