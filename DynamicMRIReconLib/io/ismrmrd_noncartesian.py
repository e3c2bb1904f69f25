"""Radial, spiral and other shots of an ISMRMRD file, with the trajectory stored at each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.centred_fft import fit_axis, ifft_axis
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions
from DynamicMRIReconLib.io.ismrmrd_header import Encoding
from DynamicMRIReconLib.io.ismrmrd_shots import ShotTable
from DynamicMRIReconLib.io.prewhitening import whiten
from DynamicMRIReconLib.kspace import reach_of

# Header user parameter in which the writer names the unit of the trajectory.
TRAJECTORY_UNIT = "trajectory_unit"
PER_PIXEL, PER_FIELD_OF_VIEW = "cycles/pixel", "cycles/FOV"


@dataclass
class Shots:
    """As in ``KSpace``: samples with a z axis for several slices, trajectory in cycles per field of view."""

    samples: NDArray[np.complex64]
    trajectory: NDArray[np.float32]
    density: NDArray[np.float32] | None
    image_shape: tuple[int, int, int]


def read_shots(file: Acquisitions, table: ShotTable, whitening: NDArray[np.complex64] | None, *, volume: bool) -> Shots:
    """Read the shots of ``table``.

    Oversampling along the readout stays: the trajectory tells where each sample lies. Averages with the same
    trajectory are averaged, others are more shots. A 2-D trajectory with several partitions (stack of stars) is
    transformed along kz where all partitions have the same shots. A third trajectory dimension of a 2-D acquisition
    holds density weights.

    Raises
    ------
    InputError
        The trajectory's range fits no unit, or partitions cannot be transformed.
    """
    encoding = file.header.encodings[table.lines.encoding]
    samples, stored = _blocks(file, table, whitening)
    density = None
    if stored.shape[-1] == 3 and not volume:
        weights, stored = spool.contiguous(stored[..., 2]), stored[..., :2]
        if weights.max() > weights.min() >= 0:
            density = weights
            file.warn("The third trajectory value of this 2-D acquisition is taken for density weights.")
    trajectory = per_field_of_view(file, stored, encoding)
    samples, trajectory, density = _averaged(samples, trajectory, density, table.averages)
    if table.partitions is not None:
        samples, trajectory = _transform_partitions(file, samples, trajectory, table.partitions, encoding)
        density = None if density is None else density[:, :1]
    nz = encoding.recon.matrix[2] if volume else samples.shape[2]
    if samples.shape[2] == 1:
        samples = samples[:, :, 0]
    if _same_in_all_slices(trajectory) and (density is None or _same_in_all_slices(density)):
        trajectory, density = trajectory[:, 0], None if density is None else density[:, 0]
    shape = (nz, encoding.recon.matrix[1], encoding.recon.matrix[0])
    return Shots(spool.contiguous(samples), spool.contiguous(trajectory), density, shape)


def _same_in_all_slices(array: NDArray[np.float32]) -> bool:
    return all((array[part] == array[part][:, :1]).all() for part in spool.blocks(array))


def _blocks(
    file: Acquisitions, table: ShotTable, whitening: NDArray[np.complex64] | None
) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """Samples (frames, coils, layers, shots, readout) and trajectory (frames, layers, shots, readout, dimensions)."""
    flat = table.rows.ravel()
    head = file.heads[flat[0]]
    before, after = (int(file.heads[name][flat].max()) for name in ("discard_pre", "discard_post"))
    count = int(head["number_of_samples"])
    kept = slice(before, count - after)
    if before + after >= count:
        raise InputError(f"{file.name}: its header discards all {count} samples of a shot.")
    length, dimensions = count - before - after, int(head["trajectory_dimensions"])
    frames, layers, per_frame = table.rows.shape
    samples = spool.empty((frames, int(head["active_channels"]), layers, per_frame, length), np.complex64)
    trajectory = spool.empty((*table.rows.shape, length, dimensions), np.float32)
    where = np.empty(int(flat.max()) + 1, np.intp)
    where[flat] = np.arange(len(flat))
    for chunk in file.chunks(flat):
        block = file.samples(chunk)[..., kept]
        frame, layer, shot = np.unravel_index(where[chunk], table.rows.shape)
        samples[frame, :, layer, shot] = block if whitening is None else whiten(block, whitening)
        trajectory[frame, layer, shot] = file.trajectories(chunk)[:, kept]
    return samples, trajectory


def per_field_of_view(file: Acquisitions, stored: NDArray[np.float32], encoding: Encoding) -> NDArray[np.float32]:
    """Stored trajectory (..., 2 or 3) in cycles per reconstructed field of view; its unit is told by its range.

    Up to 0.5 it counts cycles a pixel, above cycles a field of view: the reconstructed one where it fits into its
    matrix, else the encoded one.
    """
    recon, encoded = encoding.recon, encoding.encoded
    dimensions = stored.shape[-1]
    reach = reach_of(stored)
    unit = file.header.user_strings.get(TRAJECTORY_UNIT)
    if unit not in (PER_PIXEL, PER_FIELD_OF_VIEW):
        # A little over 0.5 is rounding or half a sample; one cycle a field of view in all would be no image.
        unit = PER_PIXEL if reach.max() <= 0.75 else PER_FIELD_OF_VIEW
        file.warn(f"The trajectory reaches {reach.max():.4g} and is taken to be in {unit}.")
    sizes = np.array(recon.matrix[:dimensions], np.float32)
    if unit == PER_PIXEL:
        return spool.mapped(lambda block: block * sizes, stored, np.float32)
    ratio = np.array(recon.fov_mm[:dimensions]) / np.array(encoded.fov_mm[:dimensions])
    if (reach > sizes / 2 * 1.01 + 0.5).any() and (reach * ratio <= sizes / 2 * 1.01 + 0.5).all():
        file.warn("The trajectory counts cycles a field of view of the encoded, not of the reconstructed space.")
        return spool.mapped(lambda block: block * ratio, stored, np.float32)
    return stored


def _averaged(
    samples: NDArray[np.complex64], trajectory: NDArray[np.float32], density: NDArray[np.float32] | None, averages: int
) -> tuple[NDArray[np.complex64], NDArray[np.float32], NDArray[np.float32] | None]:
    if averages == 1:
        return samples, trajectory, density
    frames, layers, count, readout, dimensions = trajectory.shape
    split = trajectory.reshape(frames, layers, averages, count // averages, readout, dimensions)
    if not np.allclose(split, split[:, :, :1], atol=1e-3):
        return samples, trajectory, density
    parts = samples.reshape(*samples.shape[:3], averages, count // averages, readout)
    density = None if density is None else density[:, :, : count // averages]
    return parts.mean(axis=3), split[:, :, 0], density


def _transform_partitions(
    file: Acquisitions,
    samples: NDArray[np.complex64],
    trajectory: NDArray[np.float32],
    partitions: NDArray[np.uint16],
    encoding: Encoding,
) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    size, centre = encoding.encoded.matrix[2], encoding.centre["step_2"]
    first = int(partitions[0]) - (size // 2 if centre is None else centre) + size // 2
    complete = len(partitions) == size and first == 0 and int(np.ptp(partitions)) == size - 1
    if not complete or not np.allclose(trajectory, trajectory[:, :1], atol=1e-3):
        raise InputError(
            f"{file.name} is a stack of shots that is undersampled or turned from partition to partition, which is not "
            "supported: every partition must have the same shots."
        )
    inside = encoding.recon.matrix[2]
    whole = max(inside, round(inside * encoding.encoded.fov_mm[2] / encoding.recon.fov_mm[2]))
    return fit_axis(ifft_axis(fit_axis(samples, 2, whole), 2), 2, inside), trajectory[:, :1]
