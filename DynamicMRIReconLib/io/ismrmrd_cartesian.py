"""Cartesian lines of an ISMRMRD file onto their grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.centred_fft import crop_field_of_view, fit_axis, ifft_axis
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions
from DynamicMRIReconLib.io.ismrmrd_header import Encoding, Space
from DynamicMRIReconLib.io.ismrmrd_lines import REVERSE, Lines, has_flag
from DynamicMRIReconLib.io.prewhitening import whiten

# A grid this many times larger than the file's samples is not undersampling but a damaged header.
MOST_UNDERSAMPLED = 256


@dataclass
class Grid:
    """``samples`` (frames, coils, z, ky, kx), z in image space; ``mask`` (frames, z, ky, kx); ``fov_mm`` x, y, z."""

    samples: NDArray[np.complex64]
    mask: NDArray[np.bool_]
    fov_mm: tuple[float, float, float]


def image_size(encoding: Encoding, axis: int) -> int:
    """Voxels of the encoded matrix that lie inside the reconstructed field of view along ``axis``."""
    ratio = encoding.recon.fov_mm[axis] / encoding.encoded.fov_mm[axis]
    return min(max(1, round(encoding.encoded.matrix[axis] * ratio)), encoding.encoded.matrix[axis])


def cartesian_grid(file: Acquisitions, lines: Lines, whitening: NDArray[np.complex64] | None, *, volume: bool) -> Grid:
    """Place, average and crop the lines; slices are in the order of their counter.

    Readout oversampling is cut off in image space. Phase oversampling is cut only where every frame is fully sampled;
    elsewhere the field of view stays the encoded one, because folded images cannot be cut. Lines measured several
    times are averaged. With ``volume``, kspace_encode_step_2 is the third encoding and is transformed.

    Raises
    ------
    InputError
        A line lies outside of the encoded matrix, the header's matrix is far larger than the data, or partitions are
        undersampled.
    """
    encoding = _with_readout_oversampling(file, lines)
    samples, kx_mask, count = _placed(file, lines, encoding, whitening, volume)
    measured = count > 0
    fov = list(encoding.recon.fov_mm)
    if volume:
        samples, measured = _transform_partitions(file, samples, measured, encoding)
    nx = encoding.recon.matrix[0]
    samples, kx_mask = fit_axis(samples, 4, nx), fit_axis(kx_mask, 3, nx)
    encoded_y, inside_y = encoding.encoded.matrix[1], image_size(encoding, 1)
    ny = encoding.recon.matrix[1]
    if inside_y < encoded_y and measured.all():
        samples = spool.mapped(lambda block: crop_field_of_view(block, 3, inside_y), samples, np.complex64)
        kx_mask = np.repeat(kx_mask.all(axis=2, keepdims=True), inside_y, axis=2)
    elif inside_y < encoded_y:
        ny = round(ny * encoding.encoded.fov_mm[1] / encoding.recon.fov_mm[1])
        fov[1] = encoding.encoded.fov_mm[1]
        file.warn("The phase direction is oversampled and undersampled at once: its whole field of view is kept.")
    samples, kx_mask = fit_axis(samples, 3, ny), fit_axis(kx_mask, 2, ny)
    if volume and kx_mask.shape[1] != samples.shape[2]:
        kx_mask = np.repeat(kx_mask.any(axis=1, keepdims=True), samples.shape[2], axis=1)
    # Cutting the field of view spreads a partial echo a little into what was not measured.
    kept = spool.empty(samples.shape, samples.dtype)
    for part in spool.blocks(samples):
        kept[part] = samples[part] * kx_mask[part][:, None]
    return Grid(kept, spool.contiguous(kx_mask), (fov[0], fov[1], fov[2]))


def _with_readout_oversampling(file: Acquisitions, lines: Lines) -> Encoding:
    """The encoding, corrected where the header forgot that the readout is oversampled twice."""
    encoding = file.header.encodings[lines.encoding]
    (nx, ny, nz), (fov_x, fov_y, fov_z) = encoding.encoded.matrix, encoding.encoded.fov_mm
    if int(file.heads["number_of_samples"][lines.rows].max()) != 2 * nx:
        return encoding
    file.warn("The lines hold twice the samples of the encoded matrix: the readout is taken to be oversampled twice.")
    return replace(encoding, encoded=Space((2 * nx, ny, nz), (2 * fov_x, fov_y, fov_z)))


def _placed(
    file: Acquisitions, lines: Lines, encoding: Encoding, whitening: NDArray[np.complex64] | None, volume: bool
) -> tuple[NDArray[np.complex64], NDArray[np.bool_], NDArray[np.int32]]:
    heads = file.heads[lines.rows]
    ky = _positions(file, heads["idx"]["kspace_encode_step_1"], encoding, "step_1", 1)
    if volume:
        z, nz = (
            _positions(file, heads["idx"]["kspace_encode_step_2"], encoding, "step_2", 2),
            encoding.encoded.matrix[2],
        )
    else:
        numbers, z = np.unique(heads["idx"]["slice"], return_inverse=True)
        nz = len(numbers)
    coils, ny, nx = int(heads["active_channels"][0]), encoding.encoded.matrix[1], image_size(encoding, 0)
    shape = (lines.frames, coils, nz, ny, nx)
    stored = int((heads["number_of_samples"].astype(np.int64) * coils).sum())
    if np.prod(shape, dtype=float) > MOST_UNDERSAMPLED * max(stored, 2**16):
        raise InputError(
            f"{file.name}: its header declares a matrix of {nx}x{ny}x{nz} for {lines.frames} frames, far more than its "
            f"{stored} samples could fill: the header is damaged or belongs to another file."
        )
    samples = spool.zeros(shape, np.complex64)
    count = np.zeros((lines.frames, nz, ny), np.int32)
    np.add.at(count, (lines.frame, z, ky), 1)
    mask = spool.zeros((lines.frames, nz, ny, nx), bool)
    where = {int(row): i for i, row in enumerate(lines.rows)}
    for layout, rows in _layouts(file, lines):
        for chunk in file.chunks(rows):
            block, measured = _readouts(file, chunk, layout, encoding, nx)
            if whitening is not None:
                block = whiten(block, whitening)
            at = np.array([where[int(row)] for row in chunk])
            frame, slab, line = lines.frame[at], z[at], ky[at]
            if (count[frame, slab, line] == 1).all():
                samples[frame, :, slab, line] = block
            else:
                for i in range(len(chunk)):  # a line may come twice in one chunk
                    samples[frame[i], :, slab[i], line[i]] += block[i]
            mask[frame, slab, line] |= measured
    if (count > 1).any():
        for part in spool.blocks(samples):
            samples[part] /= np.maximum(count[part], 1)[:, None, :, :, None]
    return samples, mask, count


def _layouts(file: Acquisitions, lines: Lines) -> list[tuple[tuple[int, ...], NDArray[np.intp]]]:
    """Rows grouped by (samples, centre, discarded before, discarded after, reversed)."""
    heads = file.heads[lines.rows]
    names = ("number_of_samples", "center_sample", "discard_pre", "discard_post")
    keys = np.stack([*(heads[name].astype(np.int64) for name in names), has_flag(heads, REVERSE).astype(np.int64)], 1)
    layouts, which = np.unique(keys, axis=0, return_inverse=True)
    which = which.reshape(-1)
    return [(tuple(int(v) for v in layout), lines.rows[which == i]) for i, layout in enumerate(layouts)]


def _readouts(
    file: Acquisitions, rows: NDArray[np.intp], layout: tuple[int, ...], encoding: Encoding, nx: int
) -> tuple[NDArray[np.complex64], NDArray[np.bool_]]:
    """Lines (rows, coils, nx) with oversampling cut off, and which of the nx positions were measured."""
    count, centre, before, after, reverse = layout
    encoded = encoding.encoded.matrix[0]
    block = file.samples(rows)
    if reverse:
        # The header's centre is that of the line in its usual direction.
        block = block[..., ::-1]
        before, after = after, before
    if centre == 0 and count > encoded // 2 + 1:
        centre = count // 2
        file.warn("The centre sample of the readouts is not given: the middle of the line is taken.")
    start = encoded // 2 - centre + before
    block = block[..., before : count - after]
    length = block.shape[-1]
    if length == 0 or start < 0 or start + length > encoded:
        raise InputError(
            f"{file.name}: a line of {count} samples with its centre at sample {centre} does not fit the encoded "
            f"matrix of {encoded} samples along the readout."
        )
    grid = np.zeros((*block.shape[:-1], encoded), np.complex64)
    grid[..., start : start + length] = block
    # Position j of the cut matrix has the spatial frequency of position (j - nx // 2) * encoded / nx + encoded // 2.
    fine = (np.arange(nx) - nx // 2) * (encoded / nx) + encoded // 2
    measured = (fine >= start - 0.5) & (fine <= start + length - 0.5)
    return crop_field_of_view(grid, -1, nx), measured


def _positions(
    file: Acquisitions, steps: NDArray[np.uint16], encoding: Encoding, counter: str, axis: int
) -> NDArray[np.intp]:
    size, centre = encoding.encoded.matrix[axis], encoding.centre[counter]
    if centre is None:
        centre = size // 2
    index = steps.astype(np.intp) - centre + size // 2
    if index.min() < 0 or index.max() >= size:
        raise InputError(
            f"{file.name}: the encoding steps {int(steps.min())} to {int(steps.max())} with their centre at {centre} "
            f"do not fit the encoded matrix of {size} along {'xyz'[axis]}: the header does not belong to these data."
        )
    return index


def _transform_partitions(
    file: Acquisitions, samples: NDArray[np.complex64], measured: NDArray[np.bool_], encoding: Encoding
) -> tuple[NDArray[np.complex64], NDArray[np.bool_]]:
    """kz to z: the matrix first interpolated to the reconstructed resolution, then cut to its field of view."""
    if (measured.any(axis=1) != measured.all(axis=1)).any():
        raise InputError(
            f"{file.name} is a 3-D acquisition undersampled in its second phase direction, which is not supported: "
            "only fully sampled partitions can be transformed."
        )
    inside = encoding.recon.matrix[2]
    whole = max(inside, round(inside * encoding.encoded.fov_mm[2] / encoding.recon.fov_mm[2]))
    image = fit_axis(ifft_axis(fit_axis(samples, 2, whole), 2), 2, inside)
    return image, np.repeat(measured.all(axis=1, keepdims=True), inside, axis=1)
