"""BART's files against BART's own commands, and round trips of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.bart_files import load_cfl, save_cfl

needs_bart = pytest.mark.skipif(shutil.which("bart") is None, reason="bart (Debian: bart) is not installed")


def bart(folder: Path, command: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(["bart", *command.split()], cwd=folder, check=True, capture_output=True, timeout=60, env=environment)


def images(samples: np.ndarray) -> np.ndarray:
    shifted = np.fft.ifftn(np.fft.ifftshift(samples, (-2, -1)), axes=(-2, -1), norm="ortho")
    return np.fft.fftshift(shifted, (-2, -1))


@needs_bart
@pytest.mark.parametrize("size", [32, 27])
def test_time_series_matches_bart_fft(tmp_path: Path, size: int) -> None:
    """A series of three differing frames, axes and normalisation as ``bart fft -u`` has them."""
    bart(tmp_path, f"phantom -x {size} -k -s 4 a")
    bart(tmp_path, f"phantom -x {size} -k -s 4 -B b")
    bart(tmp_path, "scale 2 a c")
    bart(tmp_path, "join 10 a b c series")
    bart(tmp_path, "fft -u -i 3 series expected")
    data = io.read(tmp_path / "series.cfl")
    assert isinstance(data, KSpace)
    assert data.samples.shape == (3, 4, 1, size, size)
    expected = load_cfl(tmp_path / "expected.cfl").reshape((size, size, 4, 3), order="F").transpose(3, 2, 1, 0)
    found = images(data.samples)[:, :, 0]
    assert np.linalg.norm(found - expected) < 1e-5 * np.linalg.norm(expected)
    assert io.read(tmp_path / "series.hdr").frames == 3
    assert io.read(tmp_path / "series").frames == 3


@needs_bart
def test_radial_trajectory_follows_our_convention(tmp_path: Path) -> None:
    """BART's own NUFFT of its phantom is our exact Fourier sum at the trajectory that is read."""
    bart(tmp_path, "phantom -x 32 image")
    bart(tmp_path, "traj -x 32 -y 6 -r -o 2 k")
    bart(tmp_path, "nufft k image radial")
    data = io.read(tmp_path / "radial.cfl", trajectory=tmp_path / "k.cfl")
    assert data.samples.shape == (1, 1, 6, 64)
    assert data.trajectory.shape == (1, 6, 64, 2)
    assert data.matrix == (1, 32, 32)
    image = load_cfl(tmp_path / "image.cfl").squeeze().T
    r = np.arange(32) - 16
    phase = np.einsum("sn,x->snx", data.trajectory[0, ..., 0], r)[:, :, None, :]
    phase = phase + np.einsum("sn,y->sny", data.trajectory[0, ..., 1], r)[..., None]
    exact = (np.exp(-2j * np.pi * phase / 32) * image).sum(axis=(-2, -1)) / 32
    error = np.linalg.norm(data.samples[0, 0] - exact) / np.linalg.norm(exact)
    assert error < 0.02  # the accuracy of BART's gridding
    with pytest.raises(InputError, match="--trajectory FILE"):
        io.read(tmp_path / "radial.cfl")


@needs_bart
def test_partitions_are_transformed(tmp_path: Path) -> None:
    bart(tmp_path, "phantom -x 12 -3 -k -s 2 volume")
    bart(tmp_path, "fft -u -i 4 volume expected")
    data = io.read(tmp_path / "volume.cfl")
    expected = load_cfl(tmp_path / "expected.cfl")[..., 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(data.samples[0], expected.transpose(3, 2, 1, 0), atol=1e-3)


def random(*shape: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def test_cartesian_slices_come_back(tmp_path: Path) -> None:
    data = KSpace(random(3, 2, 4, 6, 8), np.eye(4), np.arange(3.0))
    path = io.write(tmp_path / "a.cfl", data)
    assert load_cfl(path).shape[:4] == (8, 6, 1, 2)
    back = io.read(path)
    np.testing.assert_array_equal(back.samples, data.samples)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.cfl", "a.hdr"]


@pytest.mark.parametrize("slices", [1, 3])
def test_shots_come_back_with_their_trajectory(tmp_path: Path, slices: int) -> None:
    k = np.random.default_rng(1).uniform(-4, 4, (2, 5, 7, 2)).astype(np.float32)
    k[0, 0, 0] = 3.9
    samples = random(2, 3, slices, 5, 7) if slices > 1 else random(2, 3, 5, 7)
    data = KSpace(samples, np.eye(4), np.arange(2.0), image_shape=(slices, 8, 8), trajectory=k)
    back = io.read(io.write(tmp_path / "r.cfl", data))
    np.testing.assert_array_equal(back.samples, data.samples)
    np.testing.assert_array_equal(back.trajectory, data.trajectory)
    assert back.matrix == data.matrix
    names = ["r.cfl", "r.hdr", "r_traj.cfl", "r_traj.hdr"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_coil_maps_from_a_file(tmp_path: Path) -> None:
    path = io.write(tmp_path / "k.cfl", KSpace(random(2, 3, 1, 6, 8), np.eye(4), np.arange(2.0)))
    maps = random(8, 6, 1, 3, 2)
    save_cfl(tmp_path / "maps.cfl", maps)
    found = io.read(path, coil_maps=tmp_path / "maps.cfl").coil_maps
    np.testing.assert_array_equal(found, maps[..., 0].transpose(3, 2, 1, 0))
    np.save(tmp_path / "maps.npy", found)
    np.testing.assert_array_equal(io.read(path, coil_maps=tmp_path / "maps.npy").coil_maps, found)
    with pytest.raises(InputError, match="does not exist"):
        io.read(path, coil_maps=tmp_path / "none.npy")
    np.save(tmp_path / "wrong.npy", found[:2])
    with pytest.raises(InputError, match=r"needs \(coils, z, y, x\)"):
        io.read(path, coil_maps=tmp_path / "wrong.npy")


def test_images_with_named_axes(tmp_path: Path) -> None:
    array = np.zeros((8, 6, *[1] * 8, 3), np.complex64)
    array[1, 2, ..., 2] = 5
    save_cfl(tmp_path / "images.cfl", array)
    series = io.read(tmp_path / "images.cfl", axes="x,y,_,_,_,_,_,_,_,_,frames")
    assert series.array.shape == (3, 1, 6, 8)
    assert series.array[2, 0, 2, 1] == 5


def test_unknown_axes_and_mismatched_trajectory(tmp_path: Path) -> None:
    save_cfl(tmp_path / "te.cfl", random(8, 6, 1, 2, 1, 3))
    with pytest.raises(InputError, match=r"TE \(5\) of size 3"):
        io.read(tmp_path / "te.cfl")
    save_cfl(tmp_path / "r.cfl", random(1, 7, 5, 2))
    save_cfl(tmp_path / "k.cfl", np.full((3, 6, 5), 4.0))
    with pytest.raises(InputError, match="length does not match"):
        io.read(tmp_path / "r.cfl", trajectory=tmp_path / "k.cfl")
    (tmp_path / "r.hdr").unlink()
    with pytest.raises(InputError, match=r"r\.hdr is missing"):
        io.read(tmp_path / "r.cfl")
