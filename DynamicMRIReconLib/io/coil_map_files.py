"""Coil sensitivity maps kept in a file of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.bart_files import base_of, load_cfl
from DynamicMRIReconLib.io.prewhitening import whiten
from DynamicMRIReconLib.io.side_arrays import side_array
from DynamicMRIReconLib.io.trajectory_files import SLICE

BART_COIL, BART_MAPS = 3, 4


def load_coil_maps(source: Any, data: KSpace) -> NDArray[np.complex64]:
    """Maps (coils, z, y, x) for ``data`` from an array or a file; (coils, y, x) is one slice.

    .npy holds the array, .npz and .mat hold it as ``coil_maps``, .cfl in BART's order (of several sets of ESPIRiT maps
    the first is taken). Where the k-space was prewhitened, the maps of the channels are transformed alike.

    Raises
    ------
    InputError
        The file is missing or of another form, or the maps do not fit the k-space.
    """
    array, name = (_load(Path(source)), Path(source).name) if isinstance(source, str | Path) else (source, "the array")
    array = np.asarray(array)
    if array.ndim == 3:
        array = array[:, None]
    if array.shape != (data.coils, *data.matrix):
        raise InputError(
            f"The coil sensitivity maps in {name} have the shape {array.shape}, but the k-space needs (coils, z, y, x) "
            f"= {(data.coils, *data.matrix)}."
        )
    if array.dtype.kind not in "fc":
        raise InputError(f"The coil sensitivity maps in {name} must hold complex numbers, not {array.dtype}.")
    maps = np.asarray(array, np.complex64)
    matrix = data.metadata.get("prewhitening")
    if matrix is not None:
        weights = np.asarray(np.array(matrix["real"]) + 1j * np.array(matrix["imag"]), np.complex64)
        maps = whiten(maps, weights, coil_axis=0)
    return maps


def _load(path: Path) -> NDArray[Any]:
    if not path.exists() and not Path(f"{base_of(path)}.cfl").exists():
        raise InputError(f"The file with coil sensitivity maps {path} does not exist: check the name.")
    array = side_array(path, "coil_maps")
    if array is not None:
        return array
    if path.suffix.lower() in (".cfl", ".hdr", ""):
        array = load_cfl(path)
        used = {axis for axis, size in enumerate(array.shape) if size > 1}
        if used - {0, 1, 2, BART_COIL, BART_MAPS, SLICE} or (array.shape[2] > 1 and array.shape[SLICE] > 1):
            raise InputError(f"{path.name} does not have the sizes of BART's coil maps: {array.shape}.")
        one = array.take(0, axis=BART_MAPS).reshape((*array.shape[:4], array.shape[SLICE]), order="F")
        if array.shape[SLICE] > 1:
            return one[:, :, 0].transpose(2, 3, 1, 0)
        return one[..., 0].transpose(3, 2, 1, 0)
    raise InputError(f"{path.name}: coil sensitivity maps are read from .npy, .npz, .mat or .cfl.")
