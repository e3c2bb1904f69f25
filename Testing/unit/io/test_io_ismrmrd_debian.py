"""Files written by Debian's ismrmrd-tools: an independent writer with its own phantom and coil maps in the file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError

TOOL = "ismrmrd_generate_cartesian_shepp_logan"
pytestmark = pytest.mark.skipif(shutil.which(TOOL) is None, reason=f"{TOOL} (Debian: ismrmrd-tools) is not installed")


def generate(path: Path, *options: str, matrix: int = 32) -> Path:
    subprocess.run([TOOL, "-m", str(matrix), *options, "-o", str(path)], check=True, capture_output=True, timeout=60)
    return path


def truth(path: Path, group: str = "dataset") -> tuple[np.ndarray, np.ndarray]:
    """The tool's phantom (y, x) and coil maps (coils, y, x)."""
    with h5py.File(path) as file:
        parts = [file[group][name][0] for name in ("phantom", "csm")]
    phantom, maps = (part["real"] + 1j * part["imag"] for part in parts)
    return phantom, maps


def images(samples: np.ndarray) -> np.ndarray:
    shifted = np.fft.ifftn(np.fft.ifftshift(samples, (-2, -1)), axes=(-2, -1), norm="ortho")
    return np.fft.fftshift(shifted, (-2, -1))


def error_after_scale(samples: np.ndarray, maps: np.ndarray, phantom: np.ndarray) -> float:
    """Relative error of the combined image of one frame (coils, 1, ky, kx) after the best complex scale."""
    combined = (images(samples)[:, 0] * maps.conj()).sum(axis=0) / (np.abs(maps) ** 2).sum(axis=0)
    scale = np.vdot(combined, phantom) / np.vdot(combined, combined)
    return float(np.linalg.norm(scale * combined - phantom) / np.linalg.norm(phantom))


@pytest.mark.parametrize(
    ("options", "group"),
    [
        (("-c", "4"), "dataset"),
        (("-c", "1"), "dataset"),
        (("-c", "8", "-d", "other"), "other"),
        (("-c", "3", "-r", "3", "-k"), "dataset"),
        (("-c", "3", "-C"), "dataset"),
    ],
)
def test_full_data_give_the_tools_image(tmp_path: Path, options: tuple[str, ...], group: str) -> None:
    path = generate(tmp_path / "full.h5", "-n", "0", *options)
    data = io.read(path)
    assert isinstance(data, KSpace)
    assert data.matrix == (1, 32, 32)
    assert data.mask is not None
    assert data.mask.all()
    np.testing.assert_allclose(data.geometry.spacing_mm, [300 / 32, 300 / 32, 6])
    phantom, maps = truth(path, group)
    for frame in data.samples:
        assert error_after_scale(frame, maps, phantom) < 1e-5


def test_no_oversampling_gives_the_header_s_half_field_of_view(tmp_path: Path) -> None:
    path = generate(tmp_path / "O1.h5", "-n", "0", "-O", "1", "-c", "3")
    data = io.read(path)
    assert data.matrix == (1, 32, 16)
    np.testing.assert_allclose(data.geometry.spacing_mm, [300 / 16, 300 / 32, 6])
    phantom, maps = truth(path)
    assert error_after_scale(data.samples[0], maps[..., 8:24], phantom[:, 8:24]) < 1e-5


@pytest.mark.parametrize("acceleration", [2, 4])
def test_interleaved_lines_make_one_undersampled_frame_a_repetition(tmp_path: Path, acceleration: int) -> None:
    """The tool multiplies repetitions by the acceleration and shifts the lines by one from frame to frame."""
    options = ("-r", "2", "-a", str(acceleration), "-w", "8", "-c", "3", "-n", "0", "-k")
    path = generate(tmp_path / "fast.h5", *options)
    data = io.read(path)
    assert data.frames == 2 * acceleration
    assert data.acceleration == pytest.approx(acceleration)
    for frame, mask in enumerate(data.mask[:, 0]):
        assert mask.all(axis=1)[frame % acceleration :: acceleration].all()
        assert mask.sum() == 32 * 32 // acceleration
    # All frames together are fully sampled, and show the tool's image.
    phantom, maps = truth(path)
    together = data.samples.sum(axis=0) / data.mask.sum(axis=0)
    assert error_after_scale(together, maps, phantom) < 1e-5


def test_noise_scan_whitens_the_channels(tmp_path: Path) -> None:
    path = generate(tmp_path / "noise.h5", "-C", "-c", "4", "-r", "6", "-n", "0.1", matrix=64)
    data = io.read(path)
    assert data.metadata["prewhitened"] is True
    # The object does not move: what differs between repetitions is noise, of unit variance after whitening.
    noise = (data.samples - data.samples.mean(axis=0)) * np.sqrt(6 / 5)
    covariance = np.cov(np.moveaxis(noise, 1, 0).reshape(4, -1))
    # Cutting off half of the oversampled readout keeps the noise in each orthonormal sample.
    np.testing.assert_allclose(np.abs(covariance), np.eye(4), atol=0.25)
    plain = io.read(generate(tmp_path / "plain.h5", "-c", "4", "-n", "0.1", matrix=64))
    assert "prewhitened" not in plain.metadata


def test_silent_noise_scan_is_not_used_but_said(tmp_path: Path) -> None:
    data = io.read(generate(tmp_path / "silent.h5", "-C", "-c", "2", "-n", "0"))
    assert "prewhitened" not in data.metadata
    assert any("not prewhitened" in sentence for sentence in data.metadata["warnings"])


def test_several_groups_must_be_chosen_from(tmp_path: Path) -> None:
    path = generate(tmp_path / "two.h5", "-d", "first", "-c", "2")
    generate(path, "-d", "second", "-c", "3")
    with pytest.raises(InputError, match="first, second"):
        io.read(path)
    assert io.read(path, dataset="second").coils == 3
    with pytest.raises(InputError, match="no dataset group 'third'"):
        io.read(path, dataset="third")
    generate(path, "-c", "5")
    usual = io.read(path)
    assert usual.coils == 5
    assert any("also holds first, second" in sentence for sentence in usual.metadata["warnings"])


def test_missing_times_and_geometry_are_said(tmp_path: Path) -> None:
    description = io.info(generate(tmp_path / "plain.h5", "-r", "4", "-c", "2"))
    assert description["times_s"]["frame_interval_s"] == 1.0
    assert any("1 s a frame" in sentence for sentence in description["warnings"])
    assert any("no slice position" in sentence for sentence in description["warnings"])
    text = "\n".join(io.info_text(description))
    assert "ISMRMRD" in text
    assert "1 s a frame" in text
