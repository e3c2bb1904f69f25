"""BART's .cfl/.hdr: k-space with the axes READ, PHS1, PHS2, COIL, ..., TIME (10), ..., SLICE (13), AVG (14).

Values are taken as they are: ``bart fft -u`` is the centred orthonormal transform used here. Coordinates and times have
no place in these files. A non-Cartesian file ``NAME.cfl`` is accompanied by ``NAME_traj.cfl``, its trajectory.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry
from DynamicMRIReconLib.io.arrays import NO_GEOMETRY, NO_TIMES, from_unnamed
from DynamicMRIReconLib.io.bart_files import DIMENSIONS, base_of, load_cfl, save_cfl
from DynamicMRIReconLib.io.centred_fft import ifft_axis
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.trajectory_files import SLICE, TIME, load_trajectory

logger = logging.getLogger(__name__)

NAME = "BART"
SUFFIXES = (".cfl", ".hdr")
OPTIONS = ("axes", "coil_maps", "trajectory", "shots_per_frame")
READ, PHS1, PHS2, COIL, AVG = 0, 1, 2, 3, 14
AXIS_NAMES = (
    *("READ", "PHS1", "PHS2", "COIL", "MAPS", "TE", "COEFF", "COEFF2", "ITER", "CSHIFT", "TIME", "TIME2", "LEVEL"),
    *("SLICE", "AVG", "BATCH"),
)


def read(path: Path, options: ReadOptions) -> Any:
    """Read k-space; with ``options.axes`` anything else in a .cfl (for example images: ``x,y,frames``).

    Raises
    ------
    InputError
        The pair is damaged, uses axes that have no meaning here, or lacks its trajectory.
    """
    array = load_cfl(path)
    name = path.name
    if options.axes is not None:
        shape = array.shape[
            : max(len(options.axes), max((i + 1 for i, n in enumerate(array.shape) if n > 1), default=1))
        ]
        return from_unnamed(array.reshape(shape, order="F"), options, name)
    used = {axis for axis, size in enumerate(array.shape) if size > 1}
    strange = sorted(used - {READ, PHS1, PHS2, COIL, TIME, SLICE, AVG})
    if strange:
        words = ", ".join(f"{AXIS_NAMES[axis]} ({axis}) of size {array.shape[axis]}" for axis in strange)
        raise InputError(f"{name} uses {words}, which k-space here does not have: select one element with bart slice.")
    array = array.mean(axis=AVG, keepdims=True) if AVG in used else array
    beside = Path(f"{base_of(path)}_traj.cfl")
    trajectory = options.trajectory or (beside if array.shape[READ] == 1 and beside.exists() else None)
    if trajectory is None and array.shape[READ] == 1:
        raise InputError(
            f"{name} has no samples along READ (sizes {array.shape[:4]}), as radial and spiral data have: name the "
            "file with their trajectory with --trajectory FILE."
        )
    front = (TIME, COIL, SLICE, PHS2, PHS1, READ)
    rest = tuple(axis for axis in range(DIMENSIONS) if axis not in front)
    ordered = array.transpose(*front, *rest).reshape([array.shape[axis] for axis in front])
    times, notes = np.arange(len(ordered), dtype=float), {"warnings": [NO_TIMES, NO_GEOMETRY]}
    if trajectory is None:
        samples = _slices_or_partitions(ordered, name)
        affine = Geometry.centred((samples.shape[2], samples.shape[3], samples.shape[4])).affine
        return KSpace(samples, affine, times, metadata=notes)
    if ordered.shape[-1] != 1:
        raise InputError(
            f"{name} has {ordered.shape[-1]} samples along READ, so it is Cartesian: leave --trajectory out."
        )
    samples = ordered[..., 0]
    k = load_trajectory(trajectory, len(samples))
    samples = samples[:, :, 0] if samples.shape[2] == 1 else samples
    matrix = KSpace(samples, np.eye(4), times, trajectory=k).matrix
    affine = Geometry.centred(matrix).affine
    return KSpace(samples, affine, times, image_shape=matrix, trajectory=k, metadata=notes)


def parts(data: Any) -> tuple[str, ...]:
    """Endings of the files that hold ``data``, the one that ``write`` is given first."""
    pair = (".cfl", ".hdr")
    return (*pair, "_traj.cfl", "_traj.hdr") if isinstance(data, KSpace) and data.trajectory is not None else pair


def write(path: Path, data: Any) -> None:
    """Write k-space to ``path`` (ends in .cfl) and the files that belong to it; slices go to the axis SLICE.

    Raises
    ------
    InputError
        ``data`` is not k-space.
    """
    if not isinstance(data, KSpace):
        raise InputError("A .cfl file is written from k-space only; write a series as .seq.nrrd, .nii.gz or .npz.")
    logger.info("A .cfl file holds neither position nor frame times; write .npz or .h5 to keep them.")
    samples = data.samples
    if data.trajectory is None:
        save_cfl(path, _place(samples, (TIME, COIL, SLICE, PHS1, READ)))
        return
    axes = (TIME, COIL, PHS2, PHS1) if samples.ndim == 4 else (TIME, COIL, SLICE, PHS2, PHS1)
    save_cfl(path, _place(samples, axes))
    k = np.zeros((*data.trajectory.shape[:-1], 3), np.float32)
    k[..., : data.trajectory.shape[-1]] = data.trajectory
    k_axes = (TIME, PHS2, PHS1, READ) if k.ndim == 4 else (TIME, SLICE, PHS2, PHS1, READ)
    save_cfl(path.with_name(f"{path.stem}_traj.cfl"), _place(k, k_axes))


def _slices_or_partitions(ordered: NDArray[np.complex64], name: str) -> NDArray[np.complex64]:
    """(frames, coils, z, ky, kx) from slices, or from kz that is fully sampled."""
    slices, partitions = ordered.shape[2:4]
    if partitions == 1:
        return ordered[:, :, :, 0]
    if slices > 1:
        raise InputError(f"{name} has several slices and 3-D encoding at once, which is not supported.")
    measured = np.any(ordered[:, :, 0] != 0, axis=(1, 4))
    if (measured.any(axis=1) != measured.all(axis=1)).any():
        raise InputError(f"{name} is 3-D and undersampled along PHS2, which is not supported: PHS2 must be complete.")
    return ifft_axis(ordered[:, :, 0], 2)


def _place(array: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """``array`` with its axes at BART's positions ``axes``."""
    order = np.argsort(axes)
    sizes = [1] * DIMENSIONS
    for axis, size in zip(axes, array.shape, strict=True):
        sizes[axis] = size
    return array.transpose(order).reshape(sizes)
