"""Open .npy and .npz without trusting them: nothing is unpickled, nothing is allocated that the file cannot fill.

Arrays are read and written block by block: see ``spool``.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError, ReconError

# Deflate shrinks by no more than a factor of 1032; what declares more is not data.
LARGEST_COMPRESSION = 1100


def load_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file.

    Raises
    ------
    InputError
        Not a .npy file, Python objects in it, or cut short.
    """
    with path.open("rb") as file:
        header = _Header(file, path.name)
        available = path.stat().st_size - file.tell()
        if header.size_bytes > available:
            raise InputError(
                f"{path.name} is cut short: it announces {header.size_bytes} bytes of data but holds {available}."
            )
        return header.values(file)


def load_npz(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .npz file by name.

    Raises
    ------
    InputError
        Not a .npz file, Python objects in it, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as file:
                    declared = _Header(file, f"{path.name} ({member.filename})").size_bytes
                if declared > member.file_size or member.file_size > LARGEST_COMPRESSION * (member.compress_size + 64):
                    raise InputError(f"{path.name} is damaged: {member.filename} announces more data than it holds.")
            return {member.filename.removesuffix(".npy"): _values(archive, member) for member in archive.infolist()}
    except ReconError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, KeyError, RuntimeError) as error:
        raise InputError(f"{path.name} is not a .npz file of arrays, or it is damaged or cut short.") from error


def save_npz(file: IO[bytes], arrays: dict[str, Any]) -> None:
    """Write ``arrays`` by name, as ``numpy.savez`` does."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, value in arrays.items():
            array = np.asarray(value)
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                if array.ndim == 0 or not array.flags.c_contiguous:
                    np.lib.format.write_array(member, array, allow_pickle=False)
                    continue
                np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
                for part in spool.blocks(array):
                    member.write(array[part].data)


def _values(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        return _Header(file, member.filename).values(file)


class _Header:
    """The beginning of a NumPy file: what is in it."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        try:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            self._shape, self._fortran_order, self._dtype = read(file)
        except Exception as error:  # NumPy parses the header as Python text and raises whatever that raises
            raise InputError(f"{name} is not a NumPy file, or its header is damaged.") from error
        if self._dtype.hasobject:
            raise InputError(
                f"{name} holds Python objects, which are not read because they can run code: save numbers."
            )
        if self._dtype.itemsize == 0 or any(isinstance(size, bool) for size in self._shape):
            # values without size fill any shape; NumPy takes True for a 1 here and stumbles over it later
            raise InputError(
                f"{name} is not a NumPy file of numbers: its header has shape {self._shape} and type "
                f"{self._dtype.str!r}."
            )
        self.size_bytes = math.prod(int(size) for size in self._shape) * self._dtype.itemsize

    def values(self, file: IO[bytes]) -> NDArray[Any]:
        """The array that follows in ``file``.

        Raises
        ------
        EOFError
            There is less than announced.
        """
        array = spool.empty(self._shape[::-1] if self._fortran_order else self._shape, self._dtype)
        if spool.fill(file, array) < array.nbytes:
            raise EOFError("the data end before the array does")
        return array.transpose() if self._fortran_order else array
