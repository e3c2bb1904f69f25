""".npz, .npy and .mat: named fields, named axes, and the question when there are neither."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import Geometry, ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError

SIZES = {"frames": 3, "coils": 2, "z": 4, "ky": 5, "kx": 6, "shots": 5, "readout": 7, "y": 5, "x": 6}


def random(*shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def trajectory() -> np.ndarray:
    k = np.random.default_rng(1).uniform(-4, 4, (3, 5, 7, 2)).astype(np.float32)
    k[0, 0, 0] = 4
    return k


def save_v73(path: Path, variables: dict[str, np.ndarray]) -> Path:
    """As MATLAB stores v7.3: axes reversed, complex numbers as pairs, a user block of 512 bytes."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            stored = value.T
            if value.dtype.kind == "c":
                pair = np.empty(stored.shape, [("real", stored.real.dtype), ("imag", stored.real.dtype)])
                pair["real"], pair["imag"] = stored.real, stored.imag
                stored = pair
            file[name] = stored
        file.create_group("#refs#")
    return path


def kspaces() -> dict[str, KSpace]:
    affine = Geometry.from_parts((1, 2, 3), (4, 5, 6)).affine
    times = np.array([0.1, 0.25, 0.375])
    mask = np.random.default_rng(2).random((3, 4, 5, 6)) < 0.6
    cartesian = KSpace(
        random(3, 2, 4, 5, 6) * mask[:, None],
        affine,
        times,
        mask=mask,
        coil_maps=random(2, 4, 5, 6, seed=3),
        metadata={"warnings": ["a"], "simulated": True},
    )
    shots = KSpace(
        random(3, 2, 5, 7),
        affine,
        times,
        image_shape=(1, 10, 12),
        trajectory=trajectory(),
        density=np.ones((3, 5, 7), np.float32),
    )
    return {"cartesian": cartesian, "shots": shots}


@pytest.mark.parametrize("kind", ["cartesian", "shots"])
@pytest.mark.parametrize("suffix", [".npz", ".mat", ".v73.mat"])
def test_named_fields_come_back(tmp_path: Path, kind: str, suffix: str) -> None:
    data = kspaces()[kind]
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        io.write(path, data)
    else:
        names = ("samples", "affine", "times_s", "image_shape", "trajectory", "mask", "coil_maps", "density")
        fields = {n: np.asarray(getattr(data, n)) for n in names if getattr(data, n) is not None}
        save_v73(path, fields) if "v73" in suffix else savemat(path, fields)
    back = io.read(path)
    assert isinstance(back, KSpace)
    for name in ("samples", "affine", "times_s", "trajectory", "mask", "coil_maps", "density"):
        expected, found = getattr(data, name), getattr(back, name)
        assert (expected is None) == (found is None), name
        if expected is not None:
            np.testing.assert_array_equal(found, expected)
    assert back.matrix == data.matrix
    if suffix == ".npz" and kind == "cartesian":
        assert back.metadata["simulated"] is True
        assert back.metadata["warnings"] == ["a"]


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_series_come_back(tmp_path: Path, dtype: type) -> None:
    array = random(3, 4, 5, 6).astype(dtype) if dtype is np.complex64 else random(3, 4, 5, 6).real
    affine = Geometry.from_parts((1, 2, 3), (4, 5, 6)).affine
    flags = np.array([False, True, False])
    series = ImageSeries(array, affine, np.array([0.1, 0.2, 0.4]), flags, {"note": "x"})
    back = io.read(io.write(tmp_path / "s.npz", series))
    assert isinstance(back, ImageSeries)
    assert back.array.dtype == dtype
    np.testing.assert_array_equal(back.array, array)
    np.testing.assert_array_equal(back.synthetic, flags)
    np.testing.assert_array_equal(back.times_s, series.times_s)
    assert back.metadata["note"] == "x"


def test_left_handed_affines_keep_every_voxel_s_place(tmp_path: Path) -> None:
    k, affine = random(2, 1, 4, 5, 6), np.diag([1.0, 1.0, -2.0, 1.0])
    np.savez(tmp_path / "k.npz", samples=k, affine=affine)
    data = io.read(tmp_path / "k.npz")
    np.testing.assert_array_equal(data.samples, k[:, :, ::-1])
    np.testing.assert_allclose(data.geometry.to_ras((0, 0, 3)), [0, 0, 0])


def test_missing_times_and_place_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "k.npz", samples=random(2, 1, 1, 5, 6))
    warnings = io.info(tmp_path / "k.npz")["warnings"]
    assert any("1 s a frame" in sentence for sentence in warnings)
    assert any("1 mm" in sentence for sentence in warnings)


@pytest.mark.parametrize(
    ("axes", "canonical"),
    [
        ("coils,ky,kx", "frames,coils,z,ky,kx"),
        ("kx,ky,z,coils,frames", "frames,coils,z,ky,kx"),
        ("ky,_,frames,kx,1", "frames,coils,z,ky,kx"),
        ("x,y,frames", "frames,z,y,x"),
        ("frames,z,y,x", "frames,z,y,x"),
    ],
)
def test_axes_by_name(tmp_path: Path, axes: str, canonical: str) -> None:
    """The element at a given index of each named axis is found at those indices."""
    names = axes.split(",")
    array = random(*(1 if n in "_1" else SIZES[n] for n in names))
    if "x" in names:
        array = array.real
    np.save(tmp_path / "a.npy", array)
    savemat(tmp_path / "a.mat", {"scan": array, "comment": "text", "tr": 3.0})
    save_v73(tmp_path / "b.mat", {"scan": array})
    wanted = {name: size - 2 for name, size in SIZES.items()}
    source = array[tuple(0 if n in "_1" else wanted[n] for n in names)]
    for file in ("a.npy", "a.mat", "b.mat"):
        if file == "a.mat" and axes.endswith(",1"):
            continue
        data = io.read(tmp_path / file, axes=axes)
        values = data.array if isinstance(data, ImageSeries) else data.samples
        assert values[tuple(wanted[n] if n in names else 0 for n in canonical.split(","))] == source
        assert values.shape == tuple(SIZES[n] if n in names else 1 for n in canonical.split(","))


def test_shots_by_name_with_a_trajectory(tmp_path: Path) -> None:
    array = random(7, 5, 2, 3)
    np.save(tmp_path / "a.npy", array)
    np.save(tmp_path / "k.npy", trajectory())
    axes = "readout,shots,coils,frames"
    data = io.read(tmp_path / "a.npy", axes=axes, trajectory=tmp_path / "k.npy")
    np.testing.assert_array_equal(data.samples, array.transpose(3, 2, 1, 0))
    assert data.matrix == (1, 8, 8)
    np.save(tmp_path / "one.npy", trajectory()[0])
    same = io.read(tmp_path / "a.npy", axes=axes, trajectory=tmp_path / "one.npy")
    np.testing.assert_array_equal(same.trajectory, np.repeat(trajectory()[:1], 3, axis=0))
    with pytest.raises(InputError, match="--trajectory FILE"):
        io.read(tmp_path / "a.npy", axes=axes)
    np.save(tmp_path / "short.npy", trajectory()[:, :, :6])
    with pytest.raises(InputError, match="length does not match"):
        io.read(tmp_path / "a.npy", axes=axes, trajectory=tmp_path / "short.npy")
    np.save(tmp_path / "pixel.npy", trajectory() / 8)
    with pytest.raises(InputError, match="cycles a pixel"):
        io.read(tmp_path / "a.npy", axes=axes, trajectory=tmp_path / "pixel.npy")


def test_kz_is_transformed(tmp_path: Path) -> None:
    image = random(2, 4, 5, 6)
    shifted = np.fft.fft(np.fft.ifftshift(image, 1), axis=1, norm="ortho")
    np.save(tmp_path / "a.npy", np.fft.fftshift(shifted, 1).astype(np.complex64))
    np.testing.assert_allclose(io.read(tmp_path / "a.npy", axes="coils,kz,ky,kx").samples[0], image, atol=1e-5)


@pytest.mark.parametrize("file", ["a.npy", "a.mat", "a.npz"])
def test_arrays_that_do_not_name_their_axes_are_asked_about(tmp_path: Path, file: str) -> None:
    array = random(4, 5, 6)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", scan=array)
    savemat(tmp_path / "a.mat", {"scan": array})
    with pytest.raises(InputError, match=r"\(4, 5, 6\).*--axes coils,ky,kx") as caught:
        io.read(tmp_path / file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ("ky,kx", "3 axes"),
        ("coils,ky,time", "Unknown axis 'time'"),
        ("coils,ky,ky", "twice"),
        ("_,ky,kx", "drops only axes of size 1"),
        ("shots,ky,kx", "do not go with"),
        ("frames,coils,kx", "must hold ky and kx"),
    ],
)
def test_axes_that_do_not_fit(tmp_path: Path, axes: str, sentence: str) -> None:
    np.save(tmp_path / "a.npy", random(4, 5, 6))
    with pytest.raises(InputError, match=sentence):
        io.read(tmp_path / "a.npy", axes=axes)


def test_real_kspace_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((5, 6)))
    with pytest.raises(InputError, match="k-space is complex"):
        io.read(tmp_path / "a.npy", axes="ky,kx")


def test_several_variables(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"first": random(5, 6), "second": random(5, 6, seed=9), "mask": np.ones((5, 6))})
    with pytest.raises(InputError, match=r"first \(5, 6\), second \(5, 6\)"):
        io.read(tmp_path / "a.mat", axes="ky,kx")
    data = io.read(tmp_path / "a.mat", axes="ky,kx", variable="second")
    np.testing.assert_array_equal(data.samples[0, 0, 0], random(5, 6, seed=9))
    savemat(tmp_path / "b.mat", {"maps": np.ones((5, 6)), "k": random(5, 6), "cell": np.array([1, "a"], object)})
    np.testing.assert_array_equal(io.read(tmp_path / "b.mat", axes="ky,kx").samples[0, 0, 0], random(5, 6))
    with pytest.raises(InputError, match="no variable"):
        io.read(tmp_path / "b.mat", axes="ky,kx", variable="other")


@pytest.mark.parametrize("file", ["a.npz", "a.mat"])
def test_times_and_affine_beside_an_array_with_named_axes_are_used(tmp_path: Path, file: str) -> None:
    times, affine = np.array([0.013, 0.054, 0.333]), Geometry.from_parts((1, 2, 3), (4, 5, 6)).affine
    kspace, images = random(5, 6, 2, 3), np.abs(random(6, 5, 3, seed=4))
    variables = {"kdata": kspace, "movie": images, "times_s": times, "affine": affine}
    np.savez(tmp_path / "a.npz", **variables)
    savemat(tmp_path / "a.mat", variables)
    for variable, axes in (("kdata", "ky,kx,coils,frames"), ("movie", "x,y,frames")):
        data = io.read(tmp_path / file, variable=variable, axes=axes)
        np.testing.assert_allclose(data.times_s, times, rtol=0, atol=1e-9)
        np.testing.assert_allclose(data.affine, affine, atol=1e-9)
        assert "warnings" not in data.metadata
