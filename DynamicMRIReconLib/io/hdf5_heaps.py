"""Damage in an HDF5 file that the HDF5 library would never come back from.

Data of variable length lie in global heap collections ("GCOL"), object after object. The library walks a collection by
the sizes that the objects announce; free space that announces none, as in a file with a few zeroed bytes, keeps it in
one place for ever. HDF5 File Format Specification 3.0, III.E.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from DynamicMRIReconLib.errors import InputError

_SIGNATURE, _VERSION = b"GCOL", 1
#: before the first object of a collection, and before the data of an object
_HEADER, _OBJECT = 16, 16
#: of the object's data, which is padded
_ALIGNMENT = 8


def check_heaps(path: Path) -> None:
    """Look at the objects of all heap collections; only their headers are read, so this is quick.

    Raises
    ------
    InputError
        A collection has no end.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_SIGNATURE)
        while at >= 0:
            end = _end(content, at)
            if end is None:
                at = content.find(_SIGNATURE, at + 1)
                continue
            if _is_endless(content, at + _HEADER, end):
                raise InputError(f"{path.name} is damaged: data of variable length in it have no end (HDF5 heap).")
            at = content.find(_SIGNATURE, end)


def _end(content: mmap.mmap, at: int) -> int | None:
    """Where the collection that begins at ``at`` ends; None if it is none, but bytes that look alike."""
    if at + _HEADER > len(content) or content[at + 4] != _VERSION or any(content[at + 5 : at + 8]):
        return None
    (size,) = struct.unpack_from("<Q", content, at + 8)
    return at + size if _HEADER <= size <= len(content) - at else None


def _is_endless(content: mmap.mmap, at: int, end: int) -> bool:
    while at + _OBJECT <= end:
        (index,) = struct.unpack_from("<H", content, at)
        (size,) = struct.unpack_from("<Q", content, at + 8)
        if index == 0:
            # free space: its size is with its header
            if size == 0:
                return True
            at += size
        else:
            at += _OBJECT + -(-size // _ALIGNMENT) * _ALIGNMENT
    return False
