"""ISMRMRD lines along a trajectory: its unit, ragged frames, repeats, stacks of stars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from raw_data_files import COILS, fourier, header, line, save

from DynamicMRIReconLib import io
from DynamicMRIReconLib.errors import InputError

FULL = (16, 16, 1)


def radial(shots: int, readout: int, seed: int = 0, reach: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    """Shots (shots, coils, readout) of noise and their trajectory (shots, readout, 2) in cycles/FOV."""
    rng = np.random.default_rng(seed)
    angle = np.arange(shots) * np.deg2rad(111.246)
    k = np.linspace(-reach, reach, readout, endpoint=False)
    trajectory = k[None, :, None] * np.stack([np.cos(angle), np.sin(angle)], -1)[:, None]
    return rng.normal(size=(shots, COILS, readout)) + 1j * rng.normal(size=(shots, COILS, readout)), trajectory


@pytest.mark.parametrize("unit", [1.0, 1 / 16])
def test_trajectory_unit_is_told_by_its_range(tmp_path: Path, unit: float) -> None:
    samples, k = radial(6, 32)
    lines = [line(s, t * unit, repetition=i // 3) for i, (s, t) in enumerate(zip(samples, k, strict=True))]
    data = io.read(save(tmp_path / "r.h5", header(FULL, trajectory="radial"), lines))
    assert data.samples.shape == (2, COILS, 3, 32)
    np.testing.assert_allclose(data.trajectory.reshape(6, 32, 2), k, atol=1e-5)
    np.testing.assert_allclose(data.samples[1, :, 0], samples[3], rtol=1e-6)
    assert data.matrix == (1, 16, 16)
    assert io.info(tmp_path / "r.h5")["sampling"] == "radial"


def test_trajectory_over_the_encoded_field_of_view(tmp_path: Path) -> None:
    samples, k = radial(4, 64, reach=16.0)
    lines = [line(s, t) for s, t in zip(samples, k, strict=True)]
    xml = header((32, 32, 1), FULL, encoded_fov=(320, 320, 5), recon_fov=(160, 160, 5), trajectory="radial")
    data = io.read(save(tmp_path / "e.h5", xml, lines))
    np.testing.assert_allclose(data.trajectory[0], k / 2, atol=1e-5)


def test_ragged_frames_are_cut_to_their_common_number(tmp_path: Path) -> None:
    samples, k = radial(14, 32)
    frame = [0] * 5 + [1] * 4 + [2] * 4 + [3]
    lines = [line(s, t, repetition=f) for s, t, f in zip(samples, k, frame, strict=True)]
    data = io.read(save(tmp_path / "g.h5", header(FULL, trajectory="goldenangle"), lines))
    assert data.samples.shape == (3, COILS, 4, 32)
    np.testing.assert_allclose(data.samples[1], np.moveaxis(samples[5:9], 0, 1), rtol=1e-6)
    assert any("common 4" in s for s in data.metadata["warnings"])
    assert any("1 frames" in s for s in data.metadata["warnings"])


def test_shots_measured_twice_are_averaged(tmp_path: Path) -> None:
    samples, k = radial(6, 32)
    lines = [line(samples[i], k[i % 3], average=i // 3) for i in range(6)]
    data = io.read(save(tmp_path / "a.h5", header(FULL, trajectory="radial"), lines))
    np.testing.assert_allclose(data.samples[0], np.moveaxis((samples[:3] + samples[3:]) / 2, 0, 1), rtol=1e-5)
    others = [line(samples[i], k[i], average=i // 3) for i in range(6)]
    assert io.read(save(tmp_path / "b.h5", header(FULL, trajectory="radial"), others)).samples.shape[2] == 6


def test_stack_of_stars_is_transformed_along_kz(tmp_path: Path) -> None:
    _, k = radial(3, 32)
    rng = np.random.default_rng(3)
    image = rng.normal(size=(COILS, 4, 3, 32)) + 1j * rng.normal(size=(COILS, 4, 3, 32))
    measured = fourier(image, (1,))
    lines = [line(measured[:, kz, s], k[s], kspace_encode_step_2=kz) for kz in range(4) for s in range(3)]
    data = io.read(save(tmp_path / "k.h5", header((16, 16, 4), trajectory="radial"), lines))
    np.testing.assert_allclose(data.samples[0], image, atol=1e-5)
    assert data.matrix == (4, 16, 16)


def test_third_value_of_a_flat_trajectory_is_a_weight(tmp_path: Path) -> None:
    samples, k = radial(3, 32)
    weighted = np.concatenate([k / 16, np.abs(k).max(-1, keepdims=True)], axis=-1)
    data = io.read(
        save(
            tmp_path / "w.h5",
            header(FULL, trajectory="spiral"),
            [line(s, t) for s, t in zip(samples, weighted, strict=True)],
        )
    )
    assert data.trajectory.shape[-1] == 2
    np.testing.assert_allclose(data.density[0], weighted[..., 2], rtol=1e-5)


def test_radial_without_trajectory_is_refused(tmp_path: Path) -> None:
    samples, _ = radial(3, 32)
    path = save(tmp_path / "n.h5", header(FULL, trajectory="radial"), [line(s) for s in samples])
    with pytest.raises(InputError, match="carry no trajectory"):
        io.read(path)
