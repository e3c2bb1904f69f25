"""Files of arrays: NumPy, MATLAB, BART, and the side files with coil maps and trajectories."""

from __future__ import annotations

import functools
import io
import pickle
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.array_faults import Arrays, kspace_changes
from fuzz_parts.case import Expected, Fault, Format, Place
from fuzz_parts.hdf5_faults import HDF5_FAULTS
from hypothesis import strategies as st

GRIDDING = {"method": "gridding"}
#: makes k-space of a series first
OF_SERIES = {
    "method": "gridding",
    "simulate": {"trajectory": "cartesian", "matrix": 16, "coils": 2, "acceleration": 1.0, "central_lines": 4},
}


class Runs:
    """What a pickle would do to whoever loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('a file ran code')",))


def cartesian() -> Arrays:
    """2 frames, 2 coils, a slice of 8 x 6."""
    random = np.random.default_rng(1)
    samples = random.normal(size=(2, 2, 1, 8, 6)) + 1j * random.normal(size=(2, 2, 1, 8, 6))
    affine = np.array([[0, 0, 5.0, -3], [1.5, 0, 0, 7], [0, 1.25, 0, 11], [0, 0, 0, 1]])
    times, notes = np.array([0.02, 0.07]), np.array('{"source": "scan"}')
    return {"samples": samples.astype(np.complex64), "affine": affine, "times_s": times, "metadata": notes}


def radial() -> Arrays:
    """2 frames, 2 coils, 5 spokes of 16."""
    random = np.random.default_rng(2)
    samples = random.normal(size=(2, 2, 5, 16)) + 1j * random.normal(size=(2, 2, 5, 16))
    angle = np.arange(10).reshape(2, 5, 1) * 1.94
    radius = (np.arange(16) - 8) / 2
    trajectory = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).astype(np.float32)
    rest = {name: value for name, value in cartesian().items() if name != "samples"}
    return {
        "samples": samples.astype(np.complex64),
        "trajectory": trajectory,
        "density": np.abs(trajectory[..., 0]) + np.float32(0.1),
        "image_shape": np.array([1, 8, 8]),
        **rest,
    }


def series() -> Arrays:
    """3 frames of 2 slices of 7 x 9."""
    random = np.random.default_rng(3)
    rest = {name: value for name, value in cartesian().items() if name != "samples"}
    synthetic = np.array([False, True, False])
    array = random.random((3, 2, 7, 9), np.float32)
    return {"array": array, "synthetic": synthetic, **rest, "times_s": np.array([0, 0.04, 0.09])}


def npz_of(path: Path, arrays: Arrays) -> Path:
    """Write a ``.npz`` file; objects are pickled, as numpy does when it is let."""
    with path.open("wb") as file:
        np.savez(file, **{name: np.asarray(value) for name, value in arrays.items()}, allow_pickle=True)
    return path


def mat_of(path: Path, arrays: Arrays) -> Path:
    """Write a MATLAB 5 file."""
    from scipy.io import savemat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        savemat(path, {name: np.asarray(value) for name, value in arrays.items()}, do_compression=True)
    return path


def mat73_of(path: Path, arrays: Arrays) -> Path:
    """Write a MATLAB 7.3 file: HDF5 with the axes turned round, and complex numbers as pairs."""
    import h5py

    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in arrays.items():
            array = np.asarray(value)
            if array.dtype.kind == "U":
                continue
            if array.dtype.kind == "c":
                pair = np.dtype([("real", array.real.dtype), ("imag", array.real.dtype)])
                both = np.zeros(array.shape, pair)
                both["real"], both["imag"] = array.real, array.imag
                array = both
            file.create_dataset(name, data=np.transpose(array), chunks=True if array.ndim else None)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + struct.pack("<H", 0x200) + b"IM")
    return path


def _changed(make: Any, write: Any, name: str, change: Any, skip: tuple[type[Exception], ...] = ()) -> Any:
    def apply(place: Place, value: Any) -> Expected | None:
        arrays = make()
        expected: Expected | None = change(arrays, value)
        try:
            write(place.folder / name, arrays)
        except skip:
            # the container itself cannot hold such a thing: the good file stays
            return "any"
        return expected

    return apply


def _faults(make: Any, write: Any, name: str, fields: dict[str, int], skip: Any = ()) -> dict[str, Fault]:
    return {
        key: Fault(_changed(make, write, name, change, skip), values, expected)
        for key, (change, values, expected) in kspace_changes(fields).items()
    }


def npy_bytes(header: str, version: int = 1, size: int | None = None, tail: bytes = b"\0" * 64) -> bytes:
    """A ``.npy`` file with any header."""
    text = header.encode("latin-1", "replace") + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", (len(text) if size is None else size) & 0xFFFF)
    return b"\x93NUMPY" + bytes([version & 0xFF, 0]) + length + text + tail


_NPY_HEADERS = [
    "{'descr': '<c8', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000, 1, 1), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (2, -1, 1, 2, 2), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (0, 2, 1, 2, 2), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807, 0, 1, 1), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296, 1, 1), }",
    "{'descr': '<c8', 'fortran_order': 7, 'shape': (1, 1, 1, 2, 2), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1, 1, 1, 2, 2), }",
    "{'descr': '<c0', 'fortran_order': False, 'shape': (1, 1, 1, 2, 2), }",
    "{'descr': '|V0', 'fortran_order': False, 'shape': (99999999999, 1, 1, 2, 2), }",
    "{'descr': '<U99999999', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1), }",
    "{'descr': [('a', '<c8'), ('b', '|O')], 'fortran_order': False, 'shape': (1, 1, 1, 2, 2), }",
    "{'descr': [('a', '<c8', (999999, 999999))], 'fortran_order': False, 'shape': (1, 1, 1, 2, 2), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (True, 1, 1, 2, 2), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': 8, }",
    "{'descr': '<c8', 'fortran_order': False, }",
    "__import__('os').system('true')",
    "(" * 9000,
    "{'descr': " + "[" * 3000,
    "",
]


_BOMBS_MB = {zipfile.ZIP_DEFLATED: 320, zipfile.ZIP_BZIP2: 16}


@functools.cache
def _bomb_of(compression: int, megabytes: int) -> bytes:
    body = io.BytesIO()
    shape = (megabytes // 8, 100, 1, 100, 100)
    np.lib.format.write_array_header_1_0(body, {"descr": "<c8", "fortran_order": False, "shape": shape})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression, compresslevel=1) as archive:
        for name in ("samples", "more"):
            archive.writestr(f"{name}.npy", body.getvalue() + bytes(megabytes * 1_000_000))
    return packed.getvalue()


def _bomb(place: Place, compression: int) -> None:
    """Two times 320 MB of zeros in some megabytes; bzip2 makes far less of less."""
    place.given.write_bytes(_bomb_of(compression, _BOMBS_MB[compression]))


def _pickled_member(place: Place, _: Any) -> None:
    npz_of(place.given, {**cartesian(), "affine": np.array([Runs()], dtype=object)})


def _odd_zip(place: Place, way: str) -> None:
    good = zipfile.ZipFile(io.BytesIO(place.given.read_bytes()))
    with warnings.catch_warnings(), zipfile.ZipFile(place.given, "w") as archive:
        warnings.simplefilter("ignore")
        for name in good.namelist():
            content = good.read(name)
            inside = {"up": f"../../{name}", "absolute": f"/tmp/{name}", "folder": f"a/{name}"}.get(way, name)
            archive.writestr(inside, content)
            if way == "twice":
                archive.writestr(name, content[:40] + b"\0" + content[41:])
        if way == "many":
            for number in range(3000):
                archive.writestr(f"x{number}.npy", npy_bytes(_NPY_HEADERS[6]))
        if way == "text":
            archive.writestr("readme.txt", "no array")
        if way == "unicode":
            archive.writestr("\u202e心\U0001fac0.npy", npy_bytes(_NPY_HEADERS[2]))
        if way == "itself":
            archive.write(__file__, "samples.npy")


def _npy_header(place: Place, header: str) -> None:
    place.given.write_bytes(npy_bytes(header))


def _npy_version(place: Place, version: int) -> None:
    place.given.write_bytes(npy_bytes(_NPY_HEADERS[2].replace("(0", "(1"), version))


def _only_pickle(place: Place, protocol: int) -> None:
    place.given.write_bytes(pickle.dumps(Runs(), protocol))


def _objects(place: Place, _: Any) -> None:
    np.save(place.given, np.array([Runs()] * 4, dtype=object), allow_pickle=True)


def _npz_header(place: Place, header: str) -> None:
    with zipfile.ZipFile(place.given, "w") as archive:
        archive.writestr("samples.npy", npy_bytes(header))


PICKLES = Fault(_only_pickle, st.integers(0, 5), "refused")


def odd_names(suffix: str) -> Fault:
    """Names that files can have, and one that no file can have."""

    def rename(place: Place, stem: str) -> Expected:
        target = place.folder / f"{stem}{suffix}"
        try:
            place.given.rename(target)
        except OSError:
            place.given = target
            return "refused"
        place.given = target
        return "same"

    stems = ["schön 心臓 🫀", "-dash", "a" * 240, "a" * 5000, "with\nline", "{x} %s %d", "\u202edrawkcab", "tab\t", "'"]
    return Fault(rename, st.sampled_from(stems), "any")


def formats() -> list[Format]:
    """All of them."""
    npz_kinds = (
        ("npz Cartesian", cartesian, {"samples": 5}, GRIDDING),
        ("npz radial", radial, {"samples": 4, "trajectory": 4, "density": 3, "image_shape": 1}, GRIDDING),
        ("npz series", series, {"array": 4, "synthetic": 1}, OF_SERIES),
    )
    odd = {
        "zip bomb": Fault(
            *(_bomb, st.sampled_from(sorted(_BOMBS_MB)), "bomb"),
            prepare=lambda compression: _bomb_of(compression, _BOMBS_MB[compression]),
        ),
        "pickled object": Fault(_pickled_member, expected="refused"),
        "only a pickle": PICKLES,
        "odd archive": Fault(
            _odd_zip, st.sampled_from(["up", "absolute", "folder", "twice", "many", "text", "unicode", "itself"])
        ),
        "header": Fault(_npz_header, st.sampled_from(_NPY_HEADERS), "refused"),
        "name": odd_names(".npz"),
    }
    found = [
        Format(
            name,
            lambda folder, make=make: npz_of(folder / "scan.npz", make()),
            ("scan.npz",),
            {**_faults(make, npz_of, "scan.npz", fields), **odd},
            job=job,
            checked=True,
        )
        for name, make, fields, job in npz_kinds
    ]

    def npy(folder: Path) -> Path:
        np.save(folder / "scan.npy", cartesian()["samples"])
        return folder / "scan.npy"

    header = {"header": Fault(_npy_header, st.sampled_from(_NPY_HEADERS), "refused")}
    axes = ["frames", "coils", "z", "ky", "kx"]
    found.append(
        Format(
            "npy",
            npy,
            ("scan.npy",),
            {
                **header,
                "version": Fault(_npy_version, st.integers(0, 255)),
                "only a pickle": PICKLES,
                "objects": Fault(_objects, expected="refused"),
                "name": odd_names(".npy"),
            },
            options=("--axes", ",".join(axes)),
            job={**GRIDDING, "read": {"axes": axes}},
        )
    )
    skip = (TypeError, ValueError, NotImplementedError, AttributeError, KeyError)
    found.append(
        Format(
            "mat 5",
            lambda folder: mat_of(folder / "scan.mat", cartesian()),
            ("scan.mat",),
            {
                **_mat_faults(_faults(cartesian, mat_of, "scan.mat", {"samples": 5}, skip)),
                "only a pickle": PICKLES,
                "name": odd_names(".mat"),
            },
            job=GRIDDING,
        )
    )
    found.append(
        Format(
            "mat 7.3",
            lambda folder: mat73_of(folder / "scan.mat", cartesian()),
            ("scan.mat",),
            {
                **_mat_faults(_faults(cartesian, mat73_of, "scan.mat", {"samples": 5}, skip)),
                **HDF5_FAULTS,
                "name": odd_names(".mat"),
            },
            job=GRIDDING,
        )
    )
    return found


def _mat_faults(faults: dict[str, Fault]) -> dict[str, Fault]:
    """MATLAB knows neither every kind of number nor every shape: what it makes of them is its own affair."""
    kept = {name: fault for name, fault in faults.items() if "metadata" not in name}
    loose = ("kind", "shape", "elements", "order", "times", "affine")
    return {
        name: Fault(_without_result(fault.apply), fault.values) if any(word in name for word in loose) else fault
        for name, fault in kept.items()
    }


def _without_result(apply: Any) -> Any:
    def applied(place: Place, value: Any) -> None:
        apply(place, value)

    return applied
