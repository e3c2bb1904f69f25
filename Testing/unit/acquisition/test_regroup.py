"""Shots of non-Cartesian k-space joined and split into other frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from DynamicMRIReconLib.acquisition.regroup import regroup_frames, spread_over_frames
from DynamicMRIReconLib.acquisition.trajectories import golden_angle_radial
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError

FRAMES, SPOKES, COILS, MATRIX = 6, 5, 3, 8
SHOT_S = 0.003


def radial(frames: int = FRAMES, spokes: int = SPOKES, slices: int = 1, **rest: object) -> KSpace:
    """Golden-angle k-space whose samples tell frame, coil, slice, shot and readout apart."""
    trajectory = golden_angle_radial(frames, spokes, MATRIX)
    shape = (frames, COILS, slices, spokes, trajectory.shape[2])
    samples = (1 + np.arange(np.prod(shape))).reshape(shape).astype(np.complex64)
    if slices == 1:
        samples = samples[:, :, 0]
    times = (np.arange(frames) + 0.5) * spokes * SHOT_S
    return KSpace(samples, np.eye(4), times, image_shape=(slices, MATRIX, MATRIX), trajectory=trajectory, **rest)


@pytest.mark.parametrize("slices", [1, 2])
@pytest.mark.parametrize("shots", [1, 3, 5, 10, 30])
def test_every_shot_keeps_its_samples_angle_and_time(shots: int, slices: int) -> None:
    data = radial(slices=slices)
    made = regroup_frames(data, shots)
    assert made.frames == FRAMES * SPOKES // shots
    for number in range(FRAMES * SPOKES):
        old, new = divmod(number, SPOKES), divmod(number, shots)
        np.testing.assert_array_equal(made.samples[new[0], ..., new[1], :], data.samples[old[0], ..., old[1], :])
        np.testing.assert_array_equal(made.trajectory[new], data.trajectory[old])
    np.testing.assert_allclose(made.times_s, (np.arange(made.frames) + 0.5) * shots * SHOT_S, atol=1e-12)
    np.testing.assert_array_equal(made.trajectory, golden_angle_radial(made.frames, shots, MATRIX))
    assert made.metadata["frames_from"] == "shots_per_frame"
    assert "warnings" not in made.metadata


def test_a_trajectory_of_every_slice_is_split_with_its_samples() -> None:
    flat = radial(slices=2)
    turned = np.stack([flat.trajectory, flat.trajectory[..., ::-1]], axis=1)
    made = regroup_frames(replace(flat, trajectory=turned), 10)
    assert made.trajectory.shape == (3, 2, 10, 2 * MATRIX, 2)
    np.testing.assert_array_equal(made.trajectory[1, 1, 7], turned[3, 1, 2])


def test_shots_left_over_are_dropped_and_told() -> None:
    made = regroup_frames(radial(), 7)
    assert made.frames == 4
    assert made.metadata["warnings"] == ["The last 2 shots do not fill a frame of 7 and were left out."]


def test_density_weights_of_other_frames_are_not_kept() -> None:
    weights = np.ones((FRAMES, SPOKES, 2 * MATRIX), np.float32)
    assert regroup_frames(radial(density=weights), 10).density is None


def test_times_of_one_frame_come_from_the_repetition_time_else_are_told_to_be_unknown() -> None:
    whole = radial(frames=1, spokes=12, metadata={"repetition_time_s": SHOT_S})
    np.testing.assert_allclose(regroup_frames(whole, 4).times_s, np.array([2, 6, 10]) * SHOT_S, atol=1e-12)
    unknown = regroup_frames(replace(whole, metadata={}), 4)
    np.testing.assert_array_equal(unknown.times_s, [0, 1, 2])
    assert "1 s a frame" in unknown.metadata["warnings"][0]


def test_given_shot_times_are_averaged() -> None:
    times = np.arange(FRAMES * SPOKES).reshape(FRAMES, SPOKES) ** 1.1
    made = regroup_frames(radial(), 3, shot_times_s=times)
    np.testing.assert_allclose(made.times_s, times.reshape(-1, 3).mean(1), atol=1e-12)
    with pytest.raises(InputError, match="Shot times"):
        regroup_frames(radial(), 3, shot_times_s=times[:-1])


def test_shots_of_uneven_frames_do_not_overlap() -> None:
    times = spread_over_frames([0.0, 1.0, 5.0, 6.0], [4, 2, 3, 5])
    assert len(times) == 14
    assert (np.diff(times) > 0).all()
    np.testing.assert_allclose(times[4:6], [0.75, 1.25])


@pytest.mark.parametrize(("shots", "told"), [(0, "at least 1"), (-2, "at least 1"), (2.5, "whole"), (31, "only 30")])
def test_impossible_numbers_are_refused(shots: float, told: str) -> None:
    with pytest.raises(InputError, match=told):
        regroup_frames(radial(), shots)  # type: ignore[arg-type]


def test_cartesian_lines_are_refused() -> None:
    cartesian = KSpace(np.ones((2, 1, 1, 4, 4), np.complex64), np.eye(4), np.arange(2.0))
    with pytest.raises(InputError, match="not with Cartesian"):
        regroup_frames(cartesian, 2)
