"""Files of arrays: NumPy and MATLAB."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.array_faults import kspace_changes
from fuzz_parts.case import Expected, Fault, Format, Place
from fuzz_parts.hdf5_faults import HDF5_FAULTS
from fuzz_parts.made_files import (
    GRIDDING,
    OF_SERIES,
    PICKLES,
    Runs,
    cartesian,
    mat73_of,
    mat_of,
    npz_of,
    odd_names,
    radial,
    series,
)
from hypothesis import strategies as st


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


def _objects(place: Place, _: Any) -> None:
    np.save(place.given, np.array([Runs()] * 4, dtype=object), allow_pickle=True)


def _npz_header(place: Place, header: str) -> None:
    with zipfile.ZipFile(place.given, "w") as archive:
        archive.writestr("samples.npy", npy_bytes(header))


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
