"""ISMRMRD raw data (Inati et al., Magn Reson Med 77:411, 2017): .h5 files of acquisitions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.acquisition.regroup import NOT_CARTESIAN, REGROUPED
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import right_handed
from DynamicMRIReconLib.io.ismrmrd_cartesian import cartesian_grid
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions, open_acquisitions
from DynamicMRIReconLib.io.ismrmrd_geometry import slice_placement
from DynamicMRIReconLib.io.ismrmrd_lines import Lines, image_lines, noise_rows
from DynamicMRIReconLib.io.ismrmrd_noncartesian import read_shots
from DynamicMRIReconLib.io.ismrmrd_regroup import regroup_lines
from DynamicMRIReconLib.io.ismrmrd_shots import shot_table
from DynamicMRIReconLib.io.ismrmrd_times import frame_times_s
from DynamicMRIReconLib.io.ismrmrd_write import METADATA, ZEROS_UNMEASURED, write_kspace
from DynamicMRIReconLib.io.metadata import metadata_from_text
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.prewhitening import TOO_LITTLE_NOISE, prewhitening_notes, whitening_matrix

NAME = "ISMRMRD"
SUFFIXES = (".h5", ".hdf5", ".mrd", ".ismrmrd")
OPTIONS = ("frames_from", "times_from", "shots_per_frame", "coil_maps", "dataset")
# Only here the time of every shot is known.
REGROUPS = True


def read(path: Path, options: ReadOptions) -> KSpace:
    """Read the acquisitions as k-space; noise scans whiten the channels (``metadata["prewhitening"]``).

    Raises
    ------
    InputError
        The file is damaged, is no ISMRMRD file, or holds what cannot be reconstructed; the sentence says what.
    """
    with open_acquisitions(path, options.dataset) as file:
        lines = image_lines(file, options.frames_from)
        encoding = file.header.encodings[lines.encoding]
        volume = len(np.unique(file.heads["idx"]["kspace_encode_step_2"][lines.rows])) > 1
        whitening = _whitening(file, int(file.heads["active_channels"][lines.rows[0]]))
        # EPI readouts that were regridded lie on the grid; a trajectory stored beside Cartesian lines is not needed.
        if encoding.trajectory in ("cartesian", "epi"):
            data = _cartesian(file, lines, options, whitening, volume)
        else:
            data = _noncartesian(file, lines, options, whitening, volume)
        notes: dict[str, Any] = metadata_from_text(file.header.user_strings.get(METADATA))
        notes["format"] = NAME
        notes["frames_from"] = lines.counter if options.shots_per_frame is None else REGROUPED
        notes["header_trajectory"] = encoding.trajectory
        if file.header.repetition_time_s is not None:
            notes["repetition_time_s"] = file.header.repetition_time_s
        if whitening is not None:
            notes |= prewhitening_notes(whitening)
        notes["warnings"] = list(dict.fromkeys([*notes.get("warnings", []), *file.warnings]))
        return replace(data, metadata=notes)


def write(path: Path, data: Any) -> None:
    """Write k-space as acquisitions: see ``ismrmrd_write``.

    Raises
    ------
    InputError
        ``data`` is not k-space, or its geometry has no place in direction vectors.
    """
    if not isinstance(data, KSpace):
        raise InputError("An ISMRMRD file holds k-space; write an image series as .seq.nrrd, .nii.gz or .npz.")
    write_kspace(path, data)


def _whitening(file: Acquisitions, coils: int) -> NDArray[np.complex64] | None:
    rows = noise_rows(file)
    rows = rows[(file.heads["active_channels"][rows] == coils) & (file.heads["number_of_samples"][rows] > 0)]
    if not rows.size:
        return None
    same = file.heads["number_of_samples"][rows] == file.heads["number_of_samples"][rows[0]]
    noise = np.moveaxis(file.samples(rows[same]), 1, 0).reshape(coils, -1)
    matrix = whitening_matrix(noise)
    if matrix is None:
        file.warn(TOO_LITTLE_NOISE)
    return matrix


def _cartesian(
    file: Acquisitions, lines: Lines, options: ReadOptions, whitening: NDArray[np.complex64] | None, volume: bool
) -> KSpace:
    if options.shots_per_frame is not None:
        raise InputError(NOT_CARTESIAN)
    heads = file.heads[lines.rows]
    if volume and len(np.unique(heads["idx"]["slice"])) > 1:
        raise InputError(f"{file.name}: several slices and 3-D encoding at once are not supported.")
    grid = cartesian_grid(file, lines, whitening, volume=volume)
    nz, ny, nx = grid.samples.shape[2:]
    spacing = (grid.fov_mm[0] / nx, grid.fov_mm[1] / ny, file.header.encodings[lines.encoding].recon.spacing_mm(2))
    placement = slice_placement(file, heads, (nx, ny, nz), spacing, volume=volume)
    samples, mask = grid.samples, grid.mask
    if not volume:
        order = np.argsort([placement.place[number] for number in sorted(placement.place)])
        if (np.diff(order) != 1).any():
            samples = spool.mapped(lambda block: block[:, :, order], samples, samples.dtype)
            mask = mask[:, order]
    samples, affine = right_handed(samples, placement.affine)
    if file.header.user_strings.get(ZEROS_UNMEASURED) == "1":
        for part in spool.blocks(samples):
            mask[part] &= np.any(samples[part] != 0, axis=1)
    return KSpace(samples, affine, frame_times_s(file, lines, options.times_from), mask=mask)


def _noncartesian(
    file: Acquisitions, lines: Lines, options: ReadOptions, whitening: NDArray[np.complex64] | None, volume: bool
) -> KSpace:
    encoding = file.header.encodings[lines.encoding]
    # A 3-D trajectory needs no partition counter; in a 2-D matrix its third value is something else.
    dimensions = int(file.heads["trajectory_dimensions"][lines.rows[0]])
    volume = volume or (dimensions == 3 and encoding.recon.matrix[2] > 1)
    if options.shots_per_frame is not None:
        lines = regroup_lines(file, lines, options.shots_per_frame, volume=volume)
    table = shot_table(file, lines, volume=volume)
    part = read_shots(file, table, whitening, volume=volume)
    heads = file.heads[table.lines.rows]
    nz, ny, nx = part.image_shape
    spacing = tuple(encoding.recon.fov_mm[axis] / size for axis, size in ((0, nx), (1, ny)))
    placement = slice_placement(
        file, heads, (nx, ny, nz), (spacing[0], spacing[1], encoding.recon.spacing_mm(2)), volume=volume
    )
    samples, trajectory, affine = part.samples, part.trajectory, placement.affine
    # Stored weights belong to the frames of the file.
    density = part.density if lines.own is None else None
    if not volume and samples.ndim == 5:
        order = np.argsort([placement.place[number] for number in sorted(placement.place)])
        samples = spool.mapped(lambda block: block[:, :, order], samples, samples.dtype)
        trajectory = trajectory[:, order] if trajectory.ndim == 5 else trajectory
        density = density[:, order] if density is not None and density.ndim == 4 else density
    if np.linalg.det(affine[:3, :3]) < 0:
        affine, samples, trajectory = _flip_slab(affine, samples, trajectory, nz)
    times = frame_times_s(file, table.lines, options.times_from)
    return KSpace(samples, affine, times, image_shape=part.image_shape, trajectory=trajectory, density=density)


def _flip_slab(
    affine: NDArray[np.float64], samples: NDArray[np.complex64], trajectory: NDArray[np.float32], nz: int
) -> tuple[NDArray[np.float64], NDArray[np.complex64], NDArray[np.float32]]:
    """A left-handed slab with z reversed about the centre of its Fourier transform, which keeps its place."""
    if trajectory.shape[-1] == 3:
        affine = affine.copy()
        affine[:3, 3] += 2 * (nz // 2) * affine[:3, 2]
        affine[:3, 2] *= -1
        return affine, samples, trajectory * np.array([1, 1, -1], np.float32)
    samples, affine = right_handed(samples, affine)
    return affine, samples, trajectory
