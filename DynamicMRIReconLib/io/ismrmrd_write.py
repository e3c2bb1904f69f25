"""Write k-space as an ISMRMRD file.

One acquisition a measured line or shot, frames as repetitions, slices by the slice counter, the place in position and
direction vectors, frame times as stamps (rounded to 2.5 ms) and, exact, in the header's user parameter
``frame_times_s``. Trajectories are stored in cycles a pixel, named in the user parameter ``trajectory_unit``. Metadata
travel as JSON in ``dynamic_mri_recon_metadata``. Coil sensitivity maps and density weights have no place in an ISMRMRD
file and are left out: keep them in a file of their own, or write .npz.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.ismrmrd_geometry import LPS_TO_RAS
from DynamicMRIReconLib.io.ismrmrd_noncartesian import PER_PIXEL, TRAJECTORY_UNIT
from DynamicMRIReconLib.io.ismrmrd_times import EXACT_TIMES, TICK_S
from DynamicMRIReconLib.io.metadata import metadata_to_text
from DynamicMRIReconLib.io.sampling import sampling_kind

logger = logging.getLogger(__name__)

METADATA = "dynamic_mri_recon_metadata"
# Where a line is measured in part only, its unmeasured samples are zeros.
ZEROS_UNMEASURED = "zero_samples_are_unmeasured"
FIRST_IN_SLICE, LAST_IN_SLICE, LAST_IN_REPETITION, LAST_IN_MEASUREMENT = 1 << 6, 1 << 7, 1 << 13, 1 << 24
LARGEST_COUNTER = 65535
# What a stamp starts from, so that none is 0, which readers take for absent.
FIRST_STAMP = 40_000


def write_kspace(path: Path, data: KSpace) -> None:
    """Write ``data`` to ``path``.

    Raises
    ------
    InputError
        The axes are not perpendicular (direction vectors cannot say that), or a counter would pass 65535.
    """
    import h5py
    from ismrmrd.hdf5 import acquisition_dtype

    directions = data.geometry.directions
    if np.abs(directions.T @ directions - np.eye(3)).max() > 1e-4:
        raise InputError("The image axes are not perpendicular, which an ISMRMRD file cannot say: write .npz instead.")
    if max(data.frames, *data.samples.shape[2:], *data.matrix) > LARGEST_COUNTER:
        raise InputError(
            f"An ISMRMRD file counts up to {LARGEST_COUNTER} frames, lines or samples: write .npz instead."
        )
    left_out = [name for name in ("coil_maps", "density") if getattr(data, name) is not None]
    if left_out:
        logger.info("%s are not part of an ISMRMRD file and are left out.", " and ".join(left_out))
    with h5py.File(path, "w") as file:
        group = file.create_group("dataset")
        xml = group.create_dataset("xml", shape=(1,), dtype=h5py.special_dtype(vlen=bytes))
        xml[0] = _header(data)
        lines = list(_lines(data))
        table = group.create_dataset("data", (len(lines),), maxshape=(None,), dtype=acquisition_dtype)
        heads = _heads(data, lines, acquisition_dtype["head"])
        step = 2048
        for start in range(0, len(lines), step):
            part = lines[start : start + step]
            block = np.empty(len(part), acquisition_dtype)
            block["head"] = heads[start : start + step]
            for i, line in enumerate(part):
                block["data"][i] = _samples(data, line).view(np.float32).ravel()
                block["traj"][i] = _trajectory(data, line)
            table[start : start + len(part)] = block


def _lines(data: KSpace) -> Iterator[tuple[int, int, int]]:
    """(frame, slice, ky or shot) of everything measured, in order."""
    if data.mask is not None:
        for frame, z, line in np.argwhere(data.mask.any(axis=-1)).tolist():
            yield frame, z, line
        return
    slices = data.samples.shape[2] if data.samples.ndim == 5 else 1
    for frame in range(data.frames):
        for z in range(slices):
            for shot in range(data.samples.shape[-2]):
                yield frame, z, shot


def _samples(data: KSpace, line: tuple[int, int, int]) -> NDArray[np.complex64]:
    frame, z, row = line
    if data.samples.ndim == 4:
        return np.ascontiguousarray(data.samples[frame, :, row])
    return np.ascontiguousarray(data.samples[frame, :, z, row])


def _trajectory(data: KSpace, line: tuple[int, int, int]) -> NDArray[np.float32]:
    if data.trajectory is None:
        return np.empty(0, np.float32)
    frame, z, row = line
    k = data.trajectory[frame, z, row] if data.trajectory.ndim == 5 else data.trajectory[frame, row]
    sizes = np.array(data.matrix[::-1][: k.shape[-1]], np.float32)
    return np.asarray(k / sizes, np.float32).ravel()


def _heads(data: KSpace, lines: list[tuple[int, int, int]], dtype: Any) -> NDArray[Any]:
    heads = np.zeros(len(lines), dtype)
    frame, z, row = np.array(lines).T
    readout = data.samples.shape[-1]
    heads["version"] = 1
    heads["scan_counter"] = np.arange(len(lines))
    heads["number_of_samples"] = readout
    heads["available_channels"] = heads["active_channels"] = data.coils
    heads["channel_mask"] = _channel_mask(data.coils)
    heads["center_sample"] = readout // 2 if data.mask is not None else 0
    heads["trajectory_dimensions"] = 0 if data.trajectory is None else data.trajectory.shape[-1]
    heads["idx"]["kspace_encode_step_1"] = row
    heads["idx"]["slice"] = z
    heads["idx"]["repetition"] = frame
    ticks = np.round((data.times_s - data.times_s[0]) / TICK_S).astype(np.int64) + FIRST_STAMP
    heads["acquisition_time_stamp"] = ticks[frame]
    directions = LPS_TO_RAS @ data.geometry.directions
    heads["read_dir"], heads["phase_dir"], heads["slice_dir"] = directions.T
    # Slices lie at their own positions; of a slab the position is that of its centre.
    depth = z if _slices(data) == data.matrix[0] else np.full_like(z, data.matrix[0] // 2)
    centre = [np.full_like(z, data.matrix[2] // 2), np.full_like(z, data.matrix[1] // 2), depth]
    heads["position"] = data.geometry.to_ras(np.stack(centre, axis=1)) @ LPS_TO_RAS
    new = np.flatnonzero(np.diff(frame * 65536 + z)) + 1
    heads["flags"][np.r_[0, new]] |= FIRST_IN_SLICE
    heads["flags"][np.r_[new - 1, len(lines) - 1]] |= LAST_IN_SLICE
    heads["flags"][np.r_[np.flatnonzero(np.diff(frame)), len(lines) - 1]] |= LAST_IN_REPETITION
    heads["flags"][-1] |= LAST_IN_MEASUREMENT
    return heads


def _channel_mask(coils: int) -> NDArray[np.uint64]:
    bits = (1 << min(coils, 1024)) - 1
    return np.array([(bits >> (64 * word)) & (2**64 - 1) for word in range(16)], np.uint64)


def _slices(data: KSpace) -> int:
    return int(data.samples.shape[2]) if data.samples.ndim == 5 else 1


def _header(data: KSpace) -> bytes:
    from ismrmrd import xsd

    nz, ny, nx = data.matrix
    slab = nz if _slices(data) != nz else 1
    spacing = data.geometry.spacing_mm

    def space() -> Any:
        matrix = xsd.matrixSizeType(x=nx, y=ny, z=slab)
        fov = xsd.fieldOfViewMm(x=float(nx * spacing[0]), y=float(ny * spacing[1]), z=float(slab * spacing[2]))
        return xsd.encodingSpaceType(matrixSize=matrix, fieldOfView_mm=fov)

    def limit(count: int, centre: int = 0) -> Any:
        return xsd.limitType(minimum=0, maximum=count - 1, center=centre)

    limits = xsd.encodingLimitsType(
        kspace_encoding_step_0=limit(data.samples.shape[-1], data.samples.shape[-1] // 2),
        kspace_encoding_step_1=limit(data.samples.shape[-2], ny // 2 if data.mask is not None else 0),
        slice=limit(_slices(data)),
        repetition=limit(data.frames),
    )
    kind = sampling_kind(data)
    encoding = xsd.encodingType(
        encodedSpace=space(),
        reconSpace=space(),
        encodingLimits=limits,
        trajectory=xsd.trajectoryType(kind if kind in ("cartesian", "radial", "spiral") else "other"),
    )
    # Nine decimals keep microseconds and below, whatever the numbers' size.
    strings = {EXACT_TIMES: " ".join(f"{t:.9f}" for t in data.times_s), METADATA: metadata_to_text(data.metadata)}
    if data.mask is None:
        strings[TRAJECTORY_UNIT] = PER_PIXEL
    elif (data.mask.any(axis=-1) != data.mask.all(axis=-1)).any():
        strings[ZEROS_UNMEASURED] = "1"
    repetition_time_s = data.metadata.get("repetition_time_s")
    sequence = xsd.sequenceParametersType(TR=[float(repetition_time_s) * 1000]) if repetition_time_s else None
    header = xsd.ismrmrdHeader(
        experimentalConditions=xsd.experimentalConditionsType(H1resonanceFrequency_Hz=0),
        acquisitionSystemInformation=xsd.acquisitionSystemInformationType(receiverChannels=data.coils),
        encoding=[encoding],
        sequenceParameters=sequence,
        userParameters=xsd.userParametersType(
            userParameterString=[xsd.userParameterStringType(name=k, value=v) for k, v in strings.items()]
        ),
    )
    # JSON escapes what is not ASCII, so the header is ASCII whatever the metadata hold.
    return bytes(xsd.ToXML(header), "ascii")
