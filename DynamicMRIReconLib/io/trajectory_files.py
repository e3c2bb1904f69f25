"""k-space trajectories kept in a file of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.bart_files import base_of, load_cfl
from DynamicMRIReconLib.io.side_arrays import side_array

TIME, SLICE = 10, 13


def load_trajectory(path: Path, frames: int) -> NDArray[np.float32]:
    """Trajectory (frames, shots, readout, 2 or 3), or with a z axis after frames, in cycles per field of view.

    .npy and .npz (key ``trajectory``) hold (shots, readout, 2 or 3), the same for all frames, or one for each frame;
    .mat the same in a variable ``trajectory``; .cfl BART's order. A kz that is 0 throughout is left out.

    Raises
    ------
    InputError
        The file is missing, of another form, or its range is that of cycles a pixel.
    """
    path = Path(path)
    if not path.exists() and not Path(f"{base_of(path)}.cfl").exists():
        raise InputError(f"The trajectory file {path} does not exist: check the name.")
    array = _load(path)
    if array.ndim == 3:
        array = array[None]
    if array.ndim not in (4, 5) or array.shape[-1] not in (2, 3):
        raise InputError(
            f"The trajectory in {path.name} has the shape {array.shape}; (shots, readout, 2 or 3) or (frames, shots, "
            "readout, 2 or 3) is needed."
        )
    if len(array) == 1 and frames > 1:
        array = np.repeat(array, frames, axis=0)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise InputError(f"The trajectory in {path.name} must hold finite real numbers.")
    if np.abs(array).max() <= 0.75:
        raise InputError(
            f"The trajectory in {path.name} reaches {np.abs(array).max():.3g}: it seems to count cycles a pixel. "
            "Multiply it by the matrix size to give cycles per field of view."
        )
    if array.shape[-1] == 3 and not array[..., 2].any():
        array = array[..., :2]
    return np.asarray(array, np.float32)


def _load(path: Path) -> NDArray[Any]:
    array = side_array(path, "trajectory")
    if array is not None:
        return array
    if path.suffix.lower() in (".cfl", ".hdr", ""):
        return bart_trajectory(load_cfl(path), path.name)
    raise InputError(f"{path.name}: a trajectory is read from .npy, .npz, .mat or .cfl.")


def bart_trajectory(array: NDArray[np.complex64], name: str) -> NDArray[np.float32]:
    """BART's (3, readout, shots, ..., time, ..., slice) as (frames, shots, readout, 3); z after frames if sliced."""
    used = {axis for axis, size in enumerate(array.shape) if size > 1}
    if array.shape[0] not in (2, 3) or used - {0, 1, 2, TIME, SLICE}:
        raise InputError(f"{name} is no BART trajectory (3, readout, shots): its sizes are {array.shape}.")
    front = (TIME, SLICE, 2, 1, 0)
    rest = tuple(axis for axis in range(array.ndim) if axis not in front)
    ordered = np.real(array).transpose(*front, *rest).reshape([array.shape[axis] for axis in front])
    return np.asarray(ordered[:, 0] if array.shape[SLICE] == 1 else ordered, np.float32)
