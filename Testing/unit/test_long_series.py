"""The same numbers whether arrays lie in memory or in files: reading, methods, profiles, writing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.evaluation import data_consistency
from DynamicMRIReconLib.pipeline import reconstruct
from DynamicMRIReconLib.profiles import line_profile

sys.path.insert(0, str(Path(__file__).parent / "methods"))
import tiny_models

FRAMES, SIDE = 9, 16
AFFINE = np.array([[2.0, 0.1, 0, 3], [-0.1, 2.0, 0, -5], [0, 0, 4, 7], [0, 0, 0, 1]])
TIMES = 0.02 * np.arange(FRAMES) ** 1.1
LINE = (AFFINE @ [2, 3, 0, 1])[:3], (AFFINE @ [12, 9, 0, 1])[:3]


def noise(*shape: int) -> np.ndarray:
    random = np.random.default_rng(shape[-1])
    return (random.standard_normal(shape) + 1j * random.standard_normal(shape)).astype(np.complex64)


def cartesian(coils: int = 2, slices: int = 2) -> KSpace:
    mask = np.random.default_rng(0).random((FRAMES, slices, SIDE, 1)) < 0.5
    mask[:, :, SIDE // 2] = True
    mask = np.repeat(mask, SIDE, axis=-1)
    return KSpace(noise(FRAMES, coils, slices, SIDE, SIDE) * mask[:, None], AFFINE, TIMES, mask=mask)


def radial(coils: int = 2, slices: int = 1) -> KSpace:
    angle = np.arange(FRAMES * 5).reshape(FRAMES, 5) * np.deg2rad(111.246)
    radius = np.arange(-SIDE, SIDE) / 2
    k = np.stack([np.cos(angle)[..., None] * radius, np.sin(angle)[..., None] * radius], axis=-1)
    shape = (FRAMES, coils, 5, 2 * SIDE) if slices == 1 else (FRAMES, coils, slices, 5, 2 * SIDE)
    image_shape = (slices, SIDE, SIDE)
    return KSpace(noise(*shape), AFFINE, TIMES, image_shape=image_shape, trajectory=k.astype(np.float32))


def movie(*, real: bool = True) -> ImageSeries:
    images = noise(FRAMES, 1, SIDE, SIDE).cumsum(axis=0)
    synthetic = np.arange(FRAMES) == 4
    return ImageSeries(np.abs(images) if real else images, AFFINE, TIMES, synthetic, {"a": "note"})


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame or two each."""
    monkeypatch.setattr(spool, "BLOCK_BYTES", 4096)


def both(work: Callable[[], Any]) -> tuple[Any, Any]:
    """What ``work`` gives with every array in memory, and with every array in a file."""
    with spool.spooled_above(np.inf):
        in_memory = work()
    with spool.spooled_above(0):
        in_files = work()
    return in_memory, in_files


def assert_same(one: KSpace | ImageSeries, other: KSpace | ImageSeries) -> None:
    assert type(one) is type(other)
    names = ("array", "synthetic") if isinstance(one, ImageSeries) else ("samples", "mask", "trajectory", "density")
    assert spool.is_spooled(getattr(other, names[0]))
    assert not spool.is_spooled(getattr(one, names[0]))
    for name in (*names, "affine", "times_s"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
    assert one.metadata == other.metadata


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".cfl"])
@pytest.mark.parametrize("data", [cartesian(), radial(), radial(slices=2)], ids=["Cartesian", "radial", "two slices"])
def test_kspace_files(suffix: str, data: KSpace, tmp_path: Path) -> None:
    path = dmr.write(tmp_path / f"a{suffix}", data)
    in_memory, in_files = both(lambda: dmr.read(path))
    assert_same(in_memory, in_files)
    again = dmr.write(tmp_path / f"b{suffix}", in_files)
    if suffix != ".h5":
        assert dmr.write(tmp_path / f"c{suffix}", in_memory).read_bytes() == again.read_bytes()


@pytest.mark.parametrize("suffix", [".npz", ".seq.nrrd", ".nii", ".nii.gz"])
@pytest.mark.parametrize("real", [True, False])
def test_series_files(suffix: str, real: bool, tmp_path: Path) -> None:
    path = dmr.write(tmp_path / f"a{suffix}", movie(real=real))
    in_memory, in_files = both(lambda: dmr.read(path))
    assert_same(in_memory, in_files)
    again = dmr.read(dmr.write(tmp_path / f"b{suffix}", in_files))
    np.testing.assert_array_equal(again.array, in_memory.array)


def test_compressed_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, samples=cartesian().samples, affine=AFFINE, times_s=TIMES)
    assert_same(*both(lambda: dmr.read(path)))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2"])
def test_plain_arrays(order: str, dtype: str, tmp_path: Path) -> None:
    array = np.asarray(100 * np.abs(noise(SIDE, SIDE, FRAMES)), dtype, order=order)
    np.save(tmp_path / "a.npy", array)
    in_memory, in_files = both(lambda: dmr.read(tmp_path / "a.npy", axes="x,y,frames"))
    assert_same(in_memory, in_files)
    np.testing.assert_array_equal(in_files.array[:, 0], array.T.astype(np.float32))


@pytest.mark.parametrize("shots", [2, 3, 5, 7])
@pytest.mark.parametrize("slices", [1, 2])
def test_other_frames_of_the_same_shots(shots: int, slices: int, tmp_path: Path) -> None:
    data = radial(slices=slices)
    path = dmr.write(tmp_path / "a.npz", data)
    in_memory, in_files = both(lambda: dmr.read(path, shots_per_frame=shots))
    assert_same(in_memory, in_files)
    joined = np.moveaxis(data.samples, 0, -3).reshape(*data.samples.shape[1:-2], -1, 2 * SIDE)
    np.testing.assert_array_equal(in_files.samples[1], joined[..., shots : 2 * shots, :])


@pytest.mark.parametrize("combination", ["sensitivity", "root-sum-of-squares"])
@pytest.mark.parametrize("data", [cartesian(), radial(), radial(slices=2)], ids=["Cartesian", "radial", "two slices"])
def test_gridding(combination: str, data: KSpace) -> None:
    def run() -> ImageSeries:
        return reconstruct(_again(data), "gridding", coil_combination=combination, frames_at_once=2, device="cpu")

    assert_same(*both(run))


def test_networks_on_kspace(tmp_path: Path) -> None:
    weights = {name: str(make(tmp_path)) for name, make in _MODELS.items()}
    runs: list[tuple[str, KSpace, dict[str, Any]]] = [
        ("miccan", cartesian(coils=3), {"weights": weights["miccan"], "coil_compression": 2}),
        ("miccan", radial(coils=3), {"weights": weights["miccan"], "coil_compression": 2}),
        ("cnn3d", cartesian(slices=1), {"weights": weights["cnn3d"], "window": 4, "overlap": 1}),
        ("speech", cartesian(), {"weights": weights["miccan"], "interpolation_weights": weights["ifnet"]}),
    ]
    for method, data, parameters in runs:
        assert_same(*both(lambda m=method, d=data, p=parameters: reconstruct(_again(d), m, device="cpu", **p)))


def test_networks_on_series(tmp_path: Path) -> None:
    ifnet = {"weights": str(tiny_models.tiny_ifnet(tmp_path)), "temporal_upsampling": 3}
    for real in (True, False):
        assert_same(*both(lambda real=real: reconstruct(_again(movie(real=real)), "ifnet", device="cpu", **ifnet)))
    vsr = {"weights": str(tiny_models.tiny_cardiac_vsr(tmp_path, 2)), "ed_frame": 0, "es_frame": 3}
    assert_same(*both(lambda: reconstruct(_again(movie()), "cardiac-vsr", device="cpu", **vsr)))


def test_figures_and_profiles() -> None:
    data = cartesian()
    images = reconstruct(data, "gridding", device="cpu")
    np.testing.assert_array_equal(*both(lambda: data_consistency(_again(data), _again(images))))
    one, other = both(lambda: line_profile(_again(movie(real=False)), *LINE, edge=None))
    np.testing.assert_array_equal(one.intensity, other.intensity)
    assert np.isfinite(one.intensity).any()


_MODELS: dict[str, Callable[[Path], Path]] = {
    "miccan": tiny_models.tiny_miccan,
    "cnn3d": tiny_models.tiny_cnn3d,
    "ifnet": tiny_models.tiny_ifnet,
}


def _again(data: Any) -> Any:
    """The same data, their arrays where the threshold puts them."""
    arrays = {name: getattr(data, name) for name in ("array", "samples", "mask", "trajectory") if hasattr(data, name)}
    kept = {name: spool.mapped(lambda block: block, a, a.dtype) for name, a in arrays.items() if a is not None}
    return type(data)(**{**data.__dict__, **kept})


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process holds")
def test_nothing_of_an_ismrmrd_file_stays_in_memory(tmp_path: Path) -> None:
    """HDF5 keeps what is read of variable length without being asked for."""
    samples, k = noise(300, 4, 13, 168), np.zeros((300, 13, 168, 2), np.float32)
    path = dmr.write(tmp_path / "a.h5", KSpace(samples, AFFINE, np.arange(300), (1, 84, 84), k + 20))
    program = f"""
import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import spool

def held():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))

with spool.spooled_above(0):
    dmr.read({str(path)!r}, frames_from="repetition")
    before = held()
    kept = [dmr.read({str(path)!r}) for _ in range(4)]
    spool.trim()
    assert held() - before < {3 * samples.nbytes // 1024}, held() - before
"""
    subprocess.run([sys.executable, "-c", program], check=True)
