"""A real-time golden-angle file read with another number of shots a frame than it was written with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from raw_data_files import header, line, save

from DynamicMRIReconLib import io
from DynamicMRIReconLib.acquisition.regroup import regroup_frames
from DynamicMRIReconLib.acquisition.trajectories import golden_angle_radial
from DynamicMRIReconLib.data import Geometry, ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError

FRAMES, SPOKES, COILS, MATRIX = 5, 13, 2, 16
SHOT_S = 0.0032


def written_as_frames() -> KSpace:
    """T frames of s spokes, the i-th spoke at i times the golden angle and (i + 1/2) times the repetition time."""
    rng = np.random.default_rng(3)
    shape = (FRAMES, COILS, SPOKES, 2 * MATRIX)
    samples = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
    return KSpace(
        samples,
        Geometry.centred((1, MATRIX, MATRIX), (1.5, 1.5, 6.0)).affine,
        (np.arange(FRAMES) + 0.5) * SPOKES * SHOT_S,
        image_shape=(1, MATRIX, MATRIX),
        trajectory=golden_angle_radial(FRAMES, SPOKES, MATRIX),
        metadata={"repetition_time_s": SHOT_S},
    )


def assert_same_frames(found: Any, wanted: KSpace, time_tolerance_s: float = 1e-9) -> None:
    assert isinstance(found, KSpace)
    np.testing.assert_array_equal(found.samples, wanted.samples)
    np.testing.assert_allclose(found.trajectory, wanted.trajectory, atol=1e-5)
    np.testing.assert_allclose(found.times_s, wanted.times_s, rtol=0, atol=time_tolerance_s)
    np.testing.assert_allclose(found.affine, wanted.affine, atol=1e-4)


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
@pytest.mark.parametrize("at_once", [FRAMES * SPOKES, SPOKES, 1])
def test_any_frames_in_the_file_give_the_same_frames_asked_for(tmp_path: Path, suffix: str, at_once: int) -> None:
    frames = written_as_frames()
    stored = regroup_frames(frames, at_once)
    assert stored.frames == FRAMES * SPOKES // at_once
    path = io.write(tmp_path / f"scan{suffix}", stored)
    found = io.read(path, shots_per_frame=SPOKES)
    assert_same_frames(found, frames, 1e-3)
    angles = np.degrees(np.arctan2(found.trajectory[..., -1, 1], found.trajectory[..., -1, 0])).ravel()
    np.testing.assert_allclose(np.diff(angles) % 180, 111.246, atol=1e-2)
    assert io.info(path, shots_per_frame=SPOKES)["frames"] == FRAMES


def scanner_file(path: Path, shots: int, shot_s: float, slices: int = 1) -> Path:
    """One repetition of golden-angle spokes with a time stamp at each, as scanners write real-time acquisitions."""
    trajectory = golden_angle_radial(1, shots, MATRIX)[0] / MATRIX
    rng = np.random.default_rng(4)
    lines = []
    for shot in range(shots):
        for z in range(slices):
            data = rng.normal(size=(COILS, 2 * MATRIX)) + 1j * z
            stamp = round((10.0 + (shot * slices + z) * shot_s) / 2.5e-3)
            place = {"read_dir": (1, 0, 0), "phase_dir": (0, 1, 0), "slice_dir": (0, 0, 1), "position": (0, 0, 8.0 * z)}
            lines.append(line(data, trajectory[shot], acquisition_time_stamp=stamp, slice=z, **place))
    xml = header((MATRIX, MATRIX, 1), trajectory="radial", repetition_time_ms=1000 * shot_s)
    return save(path, xml, lines)


@pytest.mark.parametrize("slices", [1, 2])
def test_time_stamps_of_the_shots_give_the_frame_times(tmp_path: Path, slices: int) -> None:
    path = scanner_file(tmp_path / "scan.h5", 65, SHOT_S, slices)
    assert io.read(path).frames == 1
    found = io.read(path, shots_per_frame=13)
    assert found.samples.shape == (5, COILS, *((slices,) if slices > 1 else ()), 13, 2 * MATRIX)
    wanted = (13 * np.arange(5) + 6) * SHOT_S * slices + (slices - 1) / 2 * SHOT_S
    np.testing.assert_allclose(found.times_s, wanted, rtol=0, atol=1e-3)
    whole = io.read(path)
    np.testing.assert_array_equal(found.samples[2, ..., 4, :], whole.samples[0, ..., 30, :])
    np.testing.assert_array_equal(found.trajectory[2, 4], whole.trajectory[0, 30])


def test_left_over_shots_are_told(tmp_path: Path) -> None:
    found = io.read(scanner_file(tmp_path / "scan.h5", 20, SHOT_S), shots_per_frame=8)
    assert found.frames == 2
    assert "The last 4 shots do not fill a frame of 8 and were left out." in found.metadata["warnings"]


def test_frame_times_of_the_header_keep_their_origin(tmp_path: Path) -> None:
    late = replace(written_as_frames(), times_s=written_as_frames().times_s + 7.25)
    path = io.write(tmp_path / "scan.h5", regroup_frames(late, FRAMES * SPOKES))
    assert_same_frames(io.read(path, shots_per_frame=SPOKES), late, 1e-3)


def test_without_any_times_one_second_a_frame_is_told(tmp_path: Path) -> None:
    stored = replace(regroup_frames(written_as_frames(), FRAMES * SPOKES), metadata={})
    found = io.read(io.write(tmp_path / "scan.h5", stored), shots_per_frame=SPOKES)
    np.testing.assert_array_equal(np.diff(found.times_s), 1.0)
    assert any("1 s a frame" in sentence for sentence in found.metadata["warnings"])


def test_bart_files_take_it_too(tmp_path: Path) -> None:
    stored = regroup_frames(written_as_frames(), FRAMES * SPOKES)
    found = io.read(io.write(tmp_path / "scan.cfl", stored), shots_per_frame=SPOKES)
    np.testing.assert_array_equal(found.samples, written_as_frames().samples)
    np.testing.assert_allclose(found.trajectory[..., :2], written_as_frames().trajectory, atol=1e-5)


@pytest.mark.parametrize(("option", "told"), [(0, "at least 1"), (True, "at least 1"), (66, "only 65 shots")])
def test_impossible_numbers_are_refused(tmp_path: Path, option: int, told: str) -> None:
    path = scanner_file(tmp_path / "scan.h5", 65, SHOT_S)
    with pytest.raises(InputError, match=told):
        io.read(path, shots_per_frame=option)


def test_cartesian_files_images_and_triggered_times_are_refused(tmp_path: Path) -> None:
    cartesian = KSpace(np.ones((2, 1, 1, 4, 4), np.complex64), np.eye(4), np.arange(2.0))
    for suffix in (".h5", ".npz"):
        with pytest.raises(InputError, match="not with Cartesian"):
            io.read(io.write(tmp_path / f"lines{suffix}", cartesian), shots_per_frame=2)
    series = ImageSeries(np.ones((2, 1, 4, 4), np.float32), np.eye(4), np.arange(2.0))
    with pytest.raises(InputError, match="k-space only"):
        io.read(io.write(tmp_path / "images.npz", series), shots_per_frame=2)
    path = scanner_file(tmp_path / "scan.h5", 20, SHOT_S)
    with pytest.raises(InputError, match="follow the acquisition"):
        io.read(path, shots_per_frame=5, times_from="physiology")
