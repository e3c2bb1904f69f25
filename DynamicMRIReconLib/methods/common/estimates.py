"""What a run costs, from the sizes of its data. The constants were measured on one core of a server CPU."""

from __future__ import annotations

import math

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Data, Estimate
from DynamicMRIReconLib.methods.common.frames import frames_at_once

#: torch, finufft and what they load
PROGRAM_BYTES = 450 * 2**20
#: coil images that exist together for each frame of a block: before, between and after the transform
COIL_IMAGES = 3
#: single images for each frame of a block: solution, right-hand side, residual, direction and temporaries
IMAGES = 8
#: seconds of one core for forward and adjoint of one coil: for each voxel and each sample, by dimensions of the NUFFT
SECONDS_PER_VOXEL = {"cartesian": 12e-9, 2: 60e-9, 3: 400e-9}
SECONDS_PER_SAMPLE = {2: 90e-9, 3: 700e-9}
#: the same as a convolution, which takes over where samples are many
SECONDS_PER_VOXEL_BY_CONVOLUTION = {2: 75e-9, 3: 600e-9}
#: seconds to load what estimates coil sensitivity maps, and for each coil of a slice to estimate them
SECONDS_TO_LOAD_MAPS = 3.0
SECONDS_PER_MAP = 0.025
#: how much faster than one core a CUDA device is
CUDA_SPEED = 30.0


def input_bytes(data: Data) -> float:
    """Memory of the data as they were read."""
    if isinstance(data, list):
        return sum(input_bytes(one) for one in data)
    if isinstance(data, ImageSeries):
        return float(data.array.nbytes + sum(part.nbytes for part in data.parts.values()))
    arrays = (data.samples, data.trajectory, data.mask, data.density, data.coil_maps)
    return float(sum(array.nbytes for array in arrays if array is not None))


def result_bytes(frames: int, voxels: int, item_bytes: int = 8) -> float:
    """Memory of a result of ``frames`` of ``voxels``; complex64 unless ``item_bytes`` says else."""
    return float(frames) * voxels * item_bytes


def bytes_per_frame(kspace: KSpace, coils: int) -> float:
    """Working memory of one frame of one slice, with ``coils`` (virtual) coils."""
    samples = math.prod(kspace.samples.shape[2:]) * coils
    # the kernel of the gram as a convolution: real, twice the size on each axis
    kernel = 0 if kspace.trajectory is None else 2 ** kspace.trajectory.shape[-1] / 2
    return 8.0 * (_voxels(kspace) * (COIL_IMAGES * coils + IMAGES + kernel) + 3 * samples)


def estimate(
    kspace: KSpace, device: str, coils: int, transforms: float, chosen_frames_at_once: int, *, maps: bool
) -> Estimate:
    """Memory and time of ``transforms`` forward-and-adjoint pairs for each frame and slice."""
    voxels, frames = _voxels(kspace), kspace.frames
    slices = math.prod(kspace.matrix) // voxels
    if kspace.trajectory is None:
        pair = voxels * SECONDS_PER_VOXEL["cartesian"]
        padded = 0.0
    else:
        dimensions = kspace.trajectory.shape[-1]
        samples = math.prod(kspace.trajectory.shape[-3:-1])
        pair = voxels * SECONDS_PER_VOXEL[dimensions] + samples * SECONDS_PER_SAMPLE[dimensions]
        pair = min(pair, voxels * SECONDS_PER_VOXEL_BY_CONVOLUTION[dimensions])
        padded = 8.0 * 2**dimensions * voxels * coils * 2
    block = frames_at_once(frames, bytes_per_frame(kspace, coils), chosen_frames_at_once)
    result = 8.0 * math.prod(kspace.matrix) * frames
    memory = PROGRAM_BYTES + 2.0 * kspace.samples.nbytes + 2 * result + padded + block * bytes_per_frame(kspace, coils)
    seconds = frames * slices * coils * pair * transforms
    if maps and kspace.coil_maps is None and kspace.coils > 1:
        seconds += SECONDS_TO_LOAD_MAPS + kspace.matrix[0] * coils * SECONDS_PER_MAP
    return Estimate(memory, 1.0 + (seconds / CUDA_SPEED if device.startswith("cuda") else seconds))


def _voxels(kspace: KSpace) -> int:
    """Voxels that are reconstructed together: of a slice, or of the volume for a 3-D trajectory."""
    volume = kspace.trajectory is not None and kspace.trajectory.shape[-1] == 3
    return math.prod(kspace.matrix if volume else kspace.matrix[1:])
