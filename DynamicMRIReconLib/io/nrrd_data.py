"""The voxels of an NRRD file, block by block: pynrrd, which reads and writes the headers, takes all of them at once."""

from __future__ import annotations

import io
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.io.numpy_files import LARGEST_COMPRESSION

Header = dict[str, Any]

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 4 * 2**20
_NEEDED = ("type", "dimension", "sizes", "encoding")
_SKIPS = ("line skip", "lineskip", "byte skip", "byteskip")
#: types of voxels that are read here; pynrrd knows more names of them
_TYPES = {
    **{"int8": "i1", "signed char": "i1", "uint8": "u1", "uchar": "u1", "unsigned char": "u1"},
    **{"int16": "i2", "short": "i2", "uint16": "u2", "ushort": "u2", "unsigned short": "u2"},
    **{"int32": "i4", "int": "i4", "uint32": "u4", "uint": "u4", "float": "f4", "double": "f8"},
}


def read_file(path: Path) -> tuple[NDArray[Any], Header]:
    """The array, its axes in reverse order of the header's, and the header.

    Raises
    ------
    Exception
        What pynrrd raises for a header that it cannot read; ``ValueError`` where the header lacks a field, or the data
        have another length than it says.
    """
    import nrrd

    with path.open("rb") as file:
        header: Header = nrrd.read_header(file)
        start = file.tell()
    missing = [field for field in _NEEDED if field not in header]
    if missing or int(header["dimension"]) != len(header["sizes"]):
        raise ValueError(f"its header has no {missing[0]}." if missing else "its sizes are not those of its dimension.")
    dtype = _dtype(header)
    if dtype is None or any(int(header.get(name, 0)) for name in _SKIPS):
        stored: tuple[NDArray[Any], Header] = nrrd.read(str(path), index_order="C")
        return stored
    name = header.get("data file", header.get("datafile"))
    with (path if name is None else path.parent / str(name)).open("rb") as file:
        file.seek(start if name is None else 0)
        return _read(file, dtype, header), header


def _read(file: IO[bytes], dtype: np.dtype[Any], header: Header) -> NDArray[Any]:
    shape = tuple(int(n) for n in header["sizes"][::-1])
    declared = math.prod(shape) * dtype.itemsize
    compressed = header["encoding"] != "raw"
    available = os.fstat(file.fileno()).st_size - file.tell()
    if min(shape) < 1 or declared > available * (LARGEST_COMPRESSION if compressed else 1):
        raise ValueError(f"its sizes {shape[::-1]} are more than its data can fill: it is damaged or cut short.")
    array = spool.empty(shape, dtype)
    source: Any = _Inflated(file) if compressed else file
    if spool.fill(source, array) < declared or source.readinto(memoryview(bytearray(1))):
        raise ValueError(f"its data are not the {declared} bytes that its sizes {shape[::-1]} need: it is damaged.")
    return array


def write_file(path: Path, array: NDArray[Any], header: Header, level: int) -> None:
    """Write ``array`` (axes in reverse order of the header's) as gzip of the given compression level."""
    import nrrd

    one_voxel, text = np.zeros((1,) * array.ndim, array.dtype), io.BytesIO()
    nrrd.write(text, one_voxel, header, index_order="C")
    sizes = f"\nsizes: {' '.join(str(n) for n in reversed(array.shape))}\n".encode()
    head = text.getvalue().partition(b"\n\n")[0] + b"\n\n"
    with path.open("wb") as file:
        file.write(head.replace(b"\nsizes: " + b" ".join([b"1"] * array.ndim) + b"\n", sizes, 1))
        deflate = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
        for part in spool.blocks(array):
            file.write(deflate.compress(np.ascontiguousarray(array[part]).data))
        file.write(deflate.flush())


def _dtype(header: Header) -> np.dtype[Any] | None:
    """Of data that are raw or gzip; None for others."""
    if header["encoding"] not in ("raw", "gzip", "gz"):
        return None
    code = _TYPES.get(str(header["type"]))
    if code is None or code.endswith("1"):
        return None if code is None else np.dtype(code)
    endian = {"little": "<", "big": ">"}.get(str(header.get("endian")))
    return None if endian is None else np.dtype(endian + code)


class _Inflated:
    """What a gzip stream holds, as a file to read from."""

    def __init__(self, file: IO[bytes]) -> None:
        self._pieces = self._read(file)
        self._left = b""

    def readinto(self, target: memoryview) -> int:
        """Fill ``target`` as far as the next piece goes; 0 at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        count = min(len(target), len(self._left))
        target[:count], self._left = self._left[:count], self._left[count:]
        return count

    @staticmethod
    def _read(file: IO[bytes]) -> Iterator[bytes]:
        inflate = zlib.decompressobj(_GZIP)
        while not inflate.eof:
            piece = inflate.unconsumed_tail or file.read(_PIECE)
            if not piece:
                yield inflate.flush()
                return
            yield inflate.decompress(piece, _PIECE)
