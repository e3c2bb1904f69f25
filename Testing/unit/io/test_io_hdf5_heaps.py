"""Files of which HDF5 itself would never come back are refused before it sees them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from raw_data_files import fourier, header, lines_of, phantom, save

from DynamicMRIReconLib import io
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.hdf5_heaps import check_heaps

FULL = (16, 16, 1)
COLLECTION, OBJECT = 16, 16


def without_free_space(path: Path) -> int:
    """Give the free space of every heap collection the size 0; how many there were."""
    content, found = bytearray(path.read_bytes()), 0
    at = content.find(b"GCOL")
    while at >= 0:
        end = at + int.from_bytes(content[at + 8 : at + 16], "little")
        place = at + COLLECTION
        while place + OBJECT <= end:
            size = int.from_bytes(content[place + 8 : place + 16], "little")
            if content[place : place + 2] == b"\0\0":
                content[place + 8 : place + 16] = bytes(8)
                found += 1
                break
            place += OBJECT + -(-size // 8) * 8
        at = content.find(b"GCOL", end)
    path.write_bytes(content)
    return found


def test_endless_heaps_of_ismrmrd_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.h5", header(FULL), lines_of(fourier(phantom())))
    check_heaps(path)
    assert without_free_space(path) > 0
    with pytest.raises(InputError, match=r"scan.h5 is damaged.*no end"):
        io.read(path)


@pytest.mark.parametrize("tail", [b"GCOL", b"GCOL" + bytes(60), b"GCOL\1\0\0\0" + b"\xff" * 8 + bytes(40)])
def test_bytes_that_only_look_like_a_heap_are_none(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "scan.h5"
    path.write_bytes(bytes(100) + tail)
    check_heaps(path)


def test_a_heap_that_is_full_has_no_free_space(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        words = file.create_dataset("words", (400,), h5py.vlen_dtype(np.uint8))
        for number in range(400):
            words[number] = np.arange(number % 97, dtype=np.uint8)
    check_heaps(path)
