"""MATLAB .mat files: v5 (and older) through scipy, v7.3 (HDF5) through h5py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.arrays import from_named, from_unnamed
from DynamicMRIReconLib.io.matlab_elements import check_elements
from DynamicMRIReconLib.io.numpy_files import LARGEST_COMPRESSION
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.variables import choose_variable

NAME = "MATLAB"
SUFFIXES = (".mat",)
OPTIONS = ("axes", "coil_maps", "trajectory", "variable", "shots_per_frame")


def read(path: Path, options: ReadOptions) -> KSpace | ImageSeries:
    """Read variables named as the fields of ``KSpace`` or ``ImageSeries``, or one array with ``options.axes``.

    Raises
    ------
    InputError
        The file is damaged, holds no array of numbers, or does not say which axis is which.
    """
    arrays = load_mat(path)
    if options.axes is None and options.variable is None:
        data = from_named(arrays, path.name)
        if data is not None:
            return data
    return from_unnamed(choose_variable(arrays, options.variable, path.name), options, path.name, arrays)


def load_mat(path: Path) -> dict[str, NDArray[Any]]:
    """The numeric variables of a .mat file with MATLAB's order of axes; cells, structs and objects are left out.

    Raises
    ------
    InputError
        Not a .mat file, damaged, or it announces more data than it can hold.
    """
    import h5py

    if h5py.is_hdf5(path):
        try:
            return _load_v73(path)
        except (OSError, RuntimeError, KeyError, TypeError) as error:
            raise InputError(f"{path.name} is damaged: its variables cannot be read.") from error
    return _load_v5(path)


def _load_v5(path: Path) -> dict[str, NDArray[Any]]:
    from scipy import io

    try:
        widths = {"int8": 1, "uint8": 1, "logical": 1, "char": 1, "int16": 2, "uint16": 2, "single": 4, "int32": 4}
        check_elements(path)
        contents = io.whosmat(path)
        for name, shape, kind in contents:
            _check_size(path, name, shape, widths.get(kind, 8))
        wanted = [name for name, _, kind in contents if kind not in ("cell", "struct", "object", "opaque", "function")]
        content = io.loadmat(path, variable_names=wanted) if wanted else {}
    except InputError:
        raise
    except Exception as error:  # scipy raises whatever its parser meets in a damaged file
        raise InputError(f"{path.name} is not a MATLAB file, or it is damaged or cut short.") from error
    return {name: value for name, value in content.items() if _is_plain(value) and not name.startswith("__")}


def _load_v73(path: Path) -> dict[str, NDArray[Any]]:
    import h5py

    arrays: dict[str, NDArray[Any]] = {}
    with h5py.File(path, "r") as file:
        for name, item in file.items():
            if not isinstance(item, h5py.Dataset) or item.dtype.hasobject or item.attrs.get("MATLAB_empty", 0):
                continue
            _check_size(path, name, item.shape, item.dtype.itemsize, stored=item.id.get_storage_size())
            value = spool.mapped(_complex, item) if item.ndim and item.size else _complex(item[()])
            # HDF5 counts the axes from the slowest, MATLAB from the fastest.
            arrays[name] = np.asarray(value).T
    return {name: value for name, value in arrays.items() if _is_plain(value)}


def _complex(value: NDArray[Any]) -> NDArray[Any]:
    """Of pairs, as MATLAB stores complex numbers; anything else as it is."""
    return value["real"] + np.complex64(1j) * value["imag"] if value.dtype.names == ("real", "imag") else value


def _check_size(path: Path, name: str, shape: tuple[int, ...], width: int, stored: int | None = None) -> None:
    declared = width
    for size in shape:
        declared *= int(size)
    if declared > LARGEST_COMPRESSION * min(
        path.stat().st_size, path.stat().st_size if stored is None else stored + 64
    ):
        raise InputError(f"{path.name} is damaged: {name} announces {declared} bytes, more than the file can hold.")


def _is_plain(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biufcU"
