"""The HDF5 side of an ISMRMRD file: find the acquisitions, check them, read them in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.hdf5_heaps import check_heaps
from DynamicMRIReconLib.io.ismrmrd_header import Header, parse_header
from DynamicMRIReconLib.io.numpy_files import LARGEST_COMPRESSION

# Bytes of samples held at once while lines are placed into their grid.
CHUNK_BYTES = 32 * 2**20
# The headers are read before, so many at once. Nobody asks for more than half of their bytes.
_HEADS_AT_ONCE = 256
_NOT_ASKED_FOR = ("channel_mask", "user_int", "user_float")
# HDF5 (2.0) reads what is of variable length even where it is not asked for, and then never frees it: both are always
# asked for, and what is not wanted is dropped here.
_OF_ANY_LENGTH = ["data", "traj"]


@dataclass
class Acquisitions:
    """The acquisitions of an open file.

    ``heads`` is the structured array of ISMRMRD acquisition headers, one an acquisition; samples are read on demand.
    ``warnings`` collects sentences about what had to be assumed.
    """

    name: str
    header: Header
    heads: NDArray[Any]
    _data: Any
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentence: str) -> None:
        """Note ``sentence`` once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def samples(self, rows: NDArray[np.intp]) -> NDArray[np.complex64]:
        """Samples (rows, coils, readout) of acquisitions that agree in channels and number of samples.

        Raises
        ------
        InputError
            A stored array has another length than its header says, or holds NaN or infinite values.
        """
        first = self.heads[rows[0]]
        coils, readout = int(first["active_channels"]), int(first["number_of_samples"])
        stored = self._read("data", rows)
        self._check_lengths(stored, rows, 2 * coils * readout, "samples")
        block = np.stack(stored).astype(np.float32, copy=False)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise InputError(
                f"{self.name}: acquisition {int(rows[np.argmin(finite)])} holds samples that are not finite "
                "(NaN or infinite): the file is damaged or was written by a faulty step."
            )
        return block.view(np.complex64).reshape(len(rows), coils, readout)

    def trajectories(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Trajectory (rows, readout, dimensions), as stored, of acquisitions that agree in both."""
        first = self.heads[rows[0]]
        readout, dimensions = int(first["number_of_samples"]), int(first["trajectory_dimensions"])
        stored = self._read("traj", rows)
        self._check_lengths(stored, rows, readout * dimensions, "trajectory values")
        block = np.stack(stored).astype(np.float32, copy=False)
        if not np.isfinite(block).all():
            raise InputError(f"{self.name}: the trajectory holds values that are not finite (NaN or infinite).")
        return block.reshape(len(rows), readout, dimensions)

    def _read(self, what: str, rows: NDArray[np.intp]) -> Any:
        # One contiguous read and a selection in memory is far quicker than HDF5's selection of single rows.
        first, last = int(rows.min()), int(rows.max()) + 1
        try:
            if last - first <= 4 * len(rows):
                return self._data.fields(_OF_ANY_LENGTH)[first:last][what][rows - first]
            order = np.argsort(rows)
            found = self._data.fields(_OF_ANY_LENGTH)[rows[order]][what]
            return found[np.argsort(order)]
        except (OSError, RuntimeError, ValueError) as error:
            raise InputError(f"{self.name} is damaged: its acquisitions cannot be read.") from error

    def _check_lengths(self, stored: Any, rows: NDArray[np.intp], expected: int, what: str) -> None:
        lengths = np.array([len(row) for row in stored])
        if (lengths != expected).any():
            i = int(np.argmax(lengths != expected))
            raise InputError(
                f"{self.name}: acquisition {int(rows[i])} holds {lengths[i]} {what} but its header announces "
                f"{expected}: the file is damaged."
            )

    def chunks(self, rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        """``rows`` in file order, in pieces whose samples take about ``CHUNK_BYTES``."""
        first = self.heads[rows[0]]
        line = 8 * max(1, int(first["active_channels"]) * int(first["number_of_samples"]))
        step = max(1, CHUNK_BYTES // line)
        ordered = np.sort(rows)
        for start in range(0, len(ordered), step):
            yield ordered[start : start + step]
            spool.trim()


@contextmanager
def open_acquisitions(path: Path, dataset: str | None) -> Iterator[Acquisitions]:
    """Open ``path`` for reading and check its structure.

    Raises
    ------
    InputError
        Not HDF5, cut short, no acquisitions in it, or several groups of them and ``dataset`` does not say which.
    """
    import h5py

    if not h5py.is_hdf5(path):
        raise InputError(f"{path.name} is not an HDF5 file, so it holds no ISMRMRD data: check what it really is.")
    check_heaps(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        cut = "truncated" in str(error)
        what = "is cut short (the copy or download did not finish)" if cut else "is damaged: HDF5 cannot open it"
        raise InputError(f"{path.name} {what}.") from error
    with file:
        try:
            acquisitions = _open(file, path, dataset)
        except (OSError, RuntimeError, KeyError, TypeError) as error:
            raise InputError(f"{path.name} is damaged: its ISMRMRD structure cannot be read.") from error
        yield acquisitions


def _open(file: Any, path: Path, dataset: str | None) -> Acquisitions:
    group = _choose_group(file, path.name, dataset)
    table = file[group]["data"]
    if len(table.shape) != 1 or table.size == 0:
        raise InputError(f"{path.name} holds no acquisitions: there is nothing to reconstruct.")
    if not {"head", "traj", "data"} <= set(table.dtype.names or ()):
        raise InputError(f"{path.name}: {group}/data does not hold ISMRMRD acquisitions.")
    size = path.stat().st_size
    if table.size * table.dtype.itemsize > LARGEST_COMPRESSION * size:
        raise InputError(f"{path.name} is damaged: it announces {table.size} acquisitions, more than it can hold.")
    heads = _heads(table)
    declared = 8 * int((heads["active_channels"].astype(np.int64) * heads["number_of_samples"]).sum())
    if declared > size:
        raise InputError(
            f"{path.name} is damaged: its acquisitions announce {declared} bytes of samples but the file has {size}."
        )
    warnings: list[str] = []
    if dataset is None and len(others := [name for name in _groups(file) if name != group]) > 0:
        warnings.append(f"The dataset group {group} is read; the file also holds {', '.join(others)}.")
    xml = np.ravel(file[group]["xml"][()])[0]
    header = parse_header(xml, path.name, warnings.append)
    return Acquisitions(path.name, header, heads, table, warnings)


def _heads(table: Any) -> NDArray[Any]:
    """The headers of all acquisitions, without the fields that are not asked for."""
    whole = table.dtype["head"]
    kept = [name for name in whole.names if name not in _NOT_ASKED_FOR]
    heads = np.empty(table.size, np.dtype([(name, whole[name]) for name in kept]))
    for start in range(0, table.size, _HEADS_AT_ONCE):
        part = slice(start, start + _HEADS_AT_ONCE)
        stored = table[part]["head"]
        for name in kept:
            heads[name][part] = stored[name]
    return heads


def _groups(file: Any) -> list[str]:
    """Names of the groups that hold acquisitions and a header."""
    found: list[str] = []

    def note(path: str, item: Any) -> None:
        if hasattr(item, "keys") and "data" in item and "xml" in item:
            found.append(path)

    file.visititems(note)
    return found


def _choose_group(file: Any, name: str, wanted: str | None) -> str:
    found = _groups(file)
    if wanted is not None:
        if wanted.strip("/") in found:
            return wanted.strip("/")
        raise InputError(f"{name} has no dataset group {wanted!r}; it has: {', '.join(found) or 'none'}.")
    if "dataset" in found:
        return "dataset"
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{name} holds several dataset groups: {', '.join(found)}; say which with --dataset NAME.")
    raise InputError(
        f"{name} is an HDF5 file without ISMRMRD acquisitions (no group with 'xml' and 'data'); "
        f"it holds: {', '.join(list(file)[:8]) or 'nothing'}."
    )
