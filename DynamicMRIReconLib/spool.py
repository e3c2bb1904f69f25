"""Arrays too long for memory: above a threshold they lie in a temporary file without a name, and are used as any array.

The file is mapped into memory. The system loads the pages that are touched; ``trim`` gives them back, and what was
written stays in the file. So a walk over a long series, block after block, needs the memory of one block. The file is
gone with the last view of its array, or with the process, however that ends.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from DynamicMRIReconLib.errors import ResourceError

#: MiB above which an array lies in a file
ENVIRONMENT_VARIABLE = "DYNAMIC_MRI_RECON_SPOOL_MIB"
DEFAULT_MIB = 128.0
#: of an array are looked at together
BLOCK_BYTES = 16 * 2**20
#: where temporary files go if nobody names a folder, in memory on many systems; and what is on disk everywhere
_MAYBE_IN_MEMORY, _ON_DISK = "/tmp", Path("/var/tmp")

_above_bytes: float | None = None
_alive: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


@contextmanager
def spooled_above(size_bytes: float) -> Iterator[None]:
    """Within it, arrays of more than ``size_bytes`` lie in files: 0 for all of them, infinity for none."""
    global _above_bytes
    before, _above_bytes = _above_bytes, size_bytes
    try:
        yield
    finally:
        _above_bytes = before


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array with any content, in memory or in a file.

    Raises
    ------
    ResourceError
        There is no room for the file.
    """
    size = np.dtype(dtype).itemsize * math.prod(shape)
    return np.ndarray(shape, dtype, _mapping(size)) if size > _threshold() else np.empty(shape, dtype)


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """As ``empty``, filled with zeros."""
    size = np.dtype(dtype).itemsize * math.prod(shape)
    # a new file is zeros
    return empty(shape, dtype) if size > _threshold() else np.zeros(shape, dtype)


def is_spooled(array: NDArray[Any]) -> bool:
    """Whether ``array`` is one that lies in a file, or a view of one."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap) and base in _alive


def resident_bytes(array: NDArray[Any]) -> int:
    """How many bytes of ``array`` stay in memory: none of one in a file."""
    return 0 if is_spooled(array) else int(array.nbytes)


def kept_bytes(size_bytes: float) -> float:
    """How much of a new array of so many bytes will stay in memory: nothing if it goes into a file."""
    return 0.0 if size_bytes > _threshold() else float(size_bytes)


def trim() -> None:
    """Give back the memory of all arrays in files; what is touched next is loaded again. Cheap: call it often."""
    if hasattr(mmap, "MADV_DONTNEED"):
        for mapping in list(_alive):
            mapping.madvise(mmap.MADV_DONTNEED)


def blocks(array: NDArray[Any]) -> Iterator[slice]:
    """Consecutive parts of the first axis (frames) of about ``BLOCK_BYTES``, with a ``trim`` after each."""
    at_once = max(1, BLOCK_BYTES * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), at_once):
        yield slice(start, min(start + at_once, len(array)))
        trim()


def mapped(
    work: Callable[[NDArray[Any]], NDArray[Any]], array: NDArray[Any], dtype: DTypeLike | None = None
) -> NDArray[Any]:
    """``work(block)`` of all blocks of ``array`` (frames, ...) joined; it keeps the number of frames.

    ``array`` may be whatever is cut along its first axis as an array is, such as a data set of an HDF5 file. ``dtype``
    None: that of what ``work`` gives.
    """
    out: NDArray[Any] | None = None
    for part in blocks(array):
        block = work(array[part])
        if out is None:
            out = empty((len(array), *block.shape[1:]), block.dtype if dtype is None else dtype)
        out[part] = block
    assert out is not None
    return out


def contiguous(array: NDArray[Any]) -> NDArray[Any]:
    """``array`` in C order: itself where it is, else a copy."""
    return array if array.flags.c_contiguous else mapped(lambda block: block, array, array.dtype)


def peak(array: NDArray[Any]) -> float:
    """The largest magnitude."""
    return max(float(np.abs(array[part]).max()) for part in blocks(array))


def total(array: NDArray[Any]) -> NDArray[Any]:
    """The sum over the first axis, in the precision of ``array``."""
    found: NDArray[Any] | None = None
    for part in blocks(array):
        block = array[part].sum(axis=0)
        found = block if found is None else found + block
    assert found is not None
    return found


def percentile(array: NDArray[Any], percent: float) -> float:
    """That of real values as ``numpy.percentile`` has it; only what lies beyond it, above or below, is kept."""
    rank = (array.size - 1) * percent / 100
    from_above = percent >= 50
    kept = array.size - math.floor(rank) if from_above else math.ceil(rank) + 1
    outer = np.empty(0, array.dtype)
    for part in blocks(array):
        together = np.concatenate([outer, array[part].ravel()])
        outer = np.sort(together)[-kept:] if from_above else np.sort(together)[:kept]
    lower, upper = (outer[0], outer[min(1, kept - 1)]) if from_above else (outer[max(0, kept - 2)], outer[-1])
    return float(lower + (rank - math.floor(rank)) * (np.float64(upper) - lower))


def fill(file: Any, array: NDArray[Any]) -> int:
    """Read the bytes of ``array``, in C order, from ``file``, which has ``readinto``; gives how many there were."""
    flat = array.reshape(-1).view(np.uint8)
    done = 0
    while done < flat.size:
        count = file.readinto(flat[done : done + BLOCK_BYTES].data)
        if not count:
            break
        done += count
        trim()
    return done


def _threshold() -> float:
    if _above_bytes is not None:
        return _above_bytes
    try:
        return 2**20 * max(0.0, float(os.environ.get(ENVIRONMENT_VARIABLE, DEFAULT_MIB)))
    except ValueError:
        return 2**20 * DEFAULT_MIB


def _folder() -> str:
    folder = tempfile.gettempdir()
    named = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    if named or folder != _MAYBE_IN_MEMORY or not (_ON_DISK.is_dir() and os.access(_ON_DISK, os.W_OK)):
        return folder
    return str(_ON_DISK)


def _mapping(size: int) -> mmap.mmap:
    folder = _folder()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file, size)
            mapping = mmap.mmap(file.fileno(), size)
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        what = f"A temporary file of {size / 2**20:.0f} MiB could not be made in {folder} ({error.strerror or error})"
        raise ResourceError(f"{what}: make room there, or name another folder by TMPDIR.") from error
    _alive.add(mapping)
    return mapping


def _reserve(file: IO[bytes], size: int) -> None:
    """Make room: writing to a mapped file for which the disk has none would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    piece = bytes(BLOCK_BYTES)
    for start in range(0, size, len(piece)):
        file.write(piece[: size - start])
    file.flush()
