"""Damaged, mislabelled and incomplete files: one clear sentence, never a traceback or a huge allocation."""

from __future__ import annotations

import pickle
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from raw_data_files import fourier, header, line, lines_of, phantom, save

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError, ReconError

XML = header((16, 16, 1))


def scan(path: Path) -> Path:
    return save(path, XML, lines_of(fourier(phantom())))


def sentence(path: Path, **options: object) -> str:
    """The one-line message of the InputError that reading ``path`` raises; it names the file."""
    with pytest.raises(InputError) as caught:
        io.read(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    assert len(text) < 400
    return text


def test_missing_and_empty(tmp_path: Path) -> None:
    assert "does not exist" in sentence(tmp_path / "none.h5")
    for name in ("a.h5", "b.npz", "c.npy", "d.mat", "e.cfl"):
        (tmp_path / name).touch()
        assert "empty" in sentence(tmp_path / name)


@pytest.mark.parametrize("name", ["a.h5", "b.npz", "c.npy", "d.mat", "e.cfl"])
def test_text_by_another_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("repetition,line\n1,2\n" * 50)
    (tmp_path / "e.hdr").write_text("repetition,line\n1,2\n")
    with pytest.raises(InputError, match=r"is not|holds \d+ bytes"):
        io.read(tmp_path / name)


def test_unknown_type_and_folder(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("x")
    assert ".h5" in sentence(tmp_path / "a.xyz")
    with pytest.raises(InputError, match="folder"):
        io.read(tmp_path)


@pytest.mark.parametrize("suffix", [".h5", ".npz", ".cfl", ".mat"])
@pytest.mark.parametrize("kept", [0.02, 0.2, 0.5, 0.9, 0.999])
def test_truncated(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"cut{suffix}"
    if suffix == ".h5":
        scan(path)
    elif suffix == ".mat":
        from scipy.io import savemat

        savemat(path, {"samples": fourier(phantom())[None, :, None]})
    else:
        io.write(path, KSpace(fourier(phantom())[None, :, None], np.eye(4), np.zeros(1)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert any(word in sentence(path) for word in ("cut short", "damaged"))


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_never_escape_as_anything_else(tmp_path: Path, seed: int) -> None:
    """Bytes changed anywhere in a .npz or .mat give data or a ReconError."""
    from scipy.io import savemat

    rng = np.random.default_rng(seed)
    data = KSpace(fourier(phantom())[None, :, None], np.eye(4), np.zeros(1))
    io.write(tmp_path / "f.npz", data)
    savemat(tmp_path / "f.mat", {"samples": data.samples, "affine": data.affine, "times_s": data.times_s})
    for name in ("f.npz", "f.mat"):
        content = bytearray((tmp_path / name).read_bytes())
        for position in rng.integers(0, min(len(content), 600), 4):
            content[position] = rng.integers(256)
        (tmp_path / name).write_bytes(content)
        with suppress(ReconError):
            io.read(tmp_path / name)


def test_no_acquisitions(tmp_path: Path) -> None:
    path = scan(tmp_path / "zero.h5")
    with h5py.File(path, "r+") as file:
        file["dataset/data"].resize(0, axis=0)
    assert "no acquisitions" in sentence(path)
    empty = save(tmp_path / "header.h5", XML, [])
    assert "without ISMRMRD acquisitions" in sentence(empty)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["kspace"] = np.ones(3)
    assert "kspace" in sentence(tmp_path / "other.h5")


def test_nan_samples(tmp_path: Path) -> None:
    k = fourier(phantom())
    k[1, 3, 4] = np.nan
    assert "acquisition 3 holds samples that are not finite" in sentence(save(tmp_path / "n.h5", XML, lines_of(k)))
    np.savez(tmp_path / "n.npz", samples=k[None, :, None])
    assert "not finite" in sentence(tmp_path / "n.npz")


def test_stored_lengths_that_differ_from_the_header(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shots = [line(rng.normal(size=(2, 16)), rng.uniform(-0.5, 0.5, (16, 2))) for _ in range(3)]
    for field, word in (("traj", "trajectory values"), ("data", "samples")):
        path = save(tmp_path / f"{field}.h5", header((16, 16, 1), trajectory="radial"), shots)
        with h5py.File(path, "r+") as file:
            row = file["dataset/data"][1]
            row[field] = row[field][:-2]
            file["dataset/data"][1] = row
        text = sentence(path)
        assert "acquisition 1" in text
        assert word in text


def test_header_that_does_not_fit(tmp_path: Path) -> None:
    lines = lines_of(fourier(phantom()))
    assert "do not fit the encoded matrix" in sentence(save(tmp_path / "y.h5", header((16, 8, 1)), lines))
    assert "does not fit the encoded matrix" in sentence(save(tmp_path / "x.h5", header((10, 16, 1)), lines))
    assert "cannot be parsed" in sentence(save(tmp_path / "p.h5", b"<ismrmrdHeader", lines))


def test_declared_sizes_beyond_the_file_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    huge = header((60000, 60000, 1))
    assert "damaged" in sentence(save(tmp_path / "huge.h5", huge, lines_of(fourier(phantom()))))
    path = scan(tmp_path / "long.h5")
    with h5py.File(path, "r+") as file:
        table = file["dataset/data"][:]
        table["head"]["number_of_samples"] = 65535
        table["head"]["active_channels"] = 60000
        file["dataset/data"][:] = table
    assert "announce" in sentence(path)
    (tmp_path / "big.hdr").write_text("# Dimensions\n100000 100000 100000 1\n")
    (tmp_path / "big.cfl").write_bytes(b"12345678")
    assert "announces" in sentence(tmp_path / "big.cfl")
    text = b"{'descr': '<c8', 'fortran_order': False, 'shape': (1000000, 1000000, 1000), }\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"1234"
    (tmp_path / "big.npy").write_bytes(npy)
    assert "cut short" in sentence(tmp_path / "big.npy", axes="_,ky,kx")
    with zipfile.ZipFile(tmp_path / "big.npz", "w") as archive:
        archive.writestr("samples.npy", npy)
    assert "damaged" in sentence(tmp_path / "big.npz")
    with h5py.File(tmp_path / "big.mat", "w", userblock_size=512) as file:
        file.create_dataset("k", (10**5, 10**5, 10**3), np.float32, chunks=(100, 100, 100))
    assert "more than the file can hold" in sentence(tmp_path / "big.mat", axes="_,ky,kx")


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a file ran code",))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception):
        pickle.loads(pickle.dumps(Bomb()))
    objects = np.array([Bomb()], dtype=object)
    np.save(tmp_path / "o.npy", objects, allow_pickle=True)
    assert "Python objects" in sentence(tmp_path / "o.npy", axes="_")
    np.savez(tmp_path / "o.npz", samples=objects)
    assert "Python objects" in sentence(tmp_path / "o.npz")


def test_options_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    assert "axes means nothing" in sentence(scan(tmp_path / "a.h5"), axes="ky,kx")
    with pytest.raises(InputError, match="frames_from must be one of"):
        io.read(tmp_path / "a.h5", frames_from="heartbeat")
