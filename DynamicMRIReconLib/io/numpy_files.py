"""Open .npy and .npz without trusting them: nothing is unpickled, nothing is allocated that the file cannot fill."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError

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
        declared = _declared_bytes(file, path.name)
        available = path.stat().st_size - file.tell()
    if declared > available:
        raise InputError(f"{path.name} is cut short: it announces {declared} bytes of data but holds {available}.")
    return np.asarray(np.load(path, allow_pickle=False))


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
                    declared = _declared_bytes(file, f"{path.name} ({member.filename})")
                if declared > member.file_size or member.file_size > LARGEST_COMPRESSION * (member.compress_size + 64):
                    raise InputError(f"{path.name} is damaged: {member.filename} announces more data than it holds.")
        with np.load(path, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, KeyError, RuntimeError) as error:
        raise InputError(f"{path.name} is not a .npz file of arrays, or it is damaged or cut short.") from error


def _declared_bytes(file: IO[bytes], name: str) -> int:
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
    except Exception as error:  # NumPy parses the header as Python text and raises whatever that raises
        raise InputError(f"{name} is not a NumPy file, or its header is damaged.") from error
    if dtype.hasobject:
        raise InputError(f"{name} holds Python objects, which are not read because they can run code: save numbers.")
    if dtype.itemsize == 0 or any(isinstance(size, bool) for size in shape):
        # values without size fill any shape; NumPy takes True for a 1 here and stumbles over it later
        raise InputError(f"{name} is not a NumPy file of numbers: its header has shape {shape} and type {dtype.str!r}.")
    count = 1
    for size in shape:
        count *= int(size)
    return count * dtype.itemsize
