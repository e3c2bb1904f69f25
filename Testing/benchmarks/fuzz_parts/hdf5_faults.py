"""What HDF5 can hold besides data: links in circles and out of the file, tables of anything, sizes of anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz_parts.case import Fault, Place
from hypothesis import strategies as st


def _soft_circle(file: Any) -> None:
    import h5py

    file["a"] = h5py.SoftLink("/b")
    file["b"] = h5py.SoftLink("/a")


def _hard_circle(file: Any) -> None:
    group = file.require_group("circle")
    group["up"] = file["/"]
    group["self"] = group


def _outside(file: Any) -> None:
    import h5py

    file["secret"] = h5py.ExternalLink("/etc/passwd", "/")
    file["scan2"] = h5py.ExternalLink("nothing.h5", "/dataset")


def _external_storage(file: Any) -> None:
    file.create_dataset("stored", (1000,), "u1", external=[("/etc/passwd", 0, 1000)])


def _virtual(file: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout((4, 10), "f4")
    layout[0] = h5py.VirtualSource("nothing.h5", "x", (10,))
    file.create_virtual_dataset("virtual", layout)


def _huge(file: Any) -> None:
    file.create_dataset("huge", (10**6, 10**6, 10**4), "f8", chunks=(10, 10, 10))


def _many(file: Any) -> None:
    for number in range(3000):
        file.require_group(f"group{number}")


def _deep(file: Any) -> None:
    group = file
    for _ in range(400):
        group = group.create_group("d")


def _objects(file: Any) -> None:
    import h5py

    file.create_dataset("texts", data=["a", "b"], dtype=h5py.string_dtype())
    file.create_dataset("references", data=[file.ref], dtype=h5py.ref_dtype)
    file.create_dataset("ragged", (2,), h5py.vlen_dtype(np.int32))
    file.create_dataset("empty", data=h5py.Empty("f4"))
    file.create_dataset("number", data=1.0)
    file.create_dataset("packed", data=np.zeros((64, 64)), compression="gzip", shuffle=True, fletcher32=True)
    file["type"] = np.dtype("f8")


def _bomb(file: Any) -> None:
    # never written, so never stored: a fill value is all there is
    file.create_dataset("bomb", (300, 1000, 1000), "f8", chunks=(1, 1000, 1000), compression="gzip")
    file["bomb"][0] = 0.0


def _names(file: Any) -> None:
    for name in ("\x1b[2J", "心", "a" * 3000, ".hidden", "\u202e"):
        file[name] = np.zeros(2)


def _not_first_class(file: Any) -> None:
    """The groups' names stand for things of another kind."""
    for name in list(file):
        del file[name]
    file["dataset"] = np.zeros(3)
    file["samples"] = np.zeros((2, 2), dtype=[("real", "f4"), ("imag", "U3")][:1])


CHANGES: dict[str, Callable[[Any], None]] = {
    "soft links in a circle": _soft_circle,
    "hard links in a circle": _hard_circle,
    "links out of the file": _outside,
    "storage out of the file": _external_storage,
    "virtual data of a file that is gone": _virtual,
    "huge dimensions": _huge,
    "thousands of groups": _many,
    "deep groups": _deep,
    "data of other kinds": _objects,
    "compressed nothing": _bomb,
    "odd names": _names,
    "other things under the names": _not_first_class,
}


def _apply(place: Place, name: str) -> None:
    import h5py

    with h5py.File(place.given, "r+") as file:
        CHANGES[name](file)


HDF5_FAULTS = {"HDF5": Fault(_apply, st.sampled_from(sorted(CHANGES)))}
