"""One array from a file that lies beside the k-space: coil sensitivity maps, a trajectory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.numpy_files import load_npy, load_npz


def side_array(path: Path, key: str) -> NDArray[Any] | None:
    """The array of a ``.npy`` file, or the one called ``key`` in a ``.npz`` or ``.mat`` file; None for other files.

    Raises
    ------
    InputError
        If the file holds no array of that name, or cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return load_npy(path)
    if suffix == ".npz":
        arrays = load_npz(path)
    elif suffix == ".mat":
        from DynamicMRIReconLib.io.matlab import load_mat

        arrays = load_mat(path)
    else:
        return None
    if key not in arrays:
        raise InputError(f"{path.name} has no array called {key}; it has {', '.join(arrays) or 'nothing'}.")
    return arrays[key]
