"""What a run costs, from the sizes of its data.

Seconds are of one core, without starting the program, reading and writing; the constants were measured on one core of a
server CPU under load (docs/reliability.md has the figures beside what runs took). Memory is the peak of the process.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Data, Estimate
from DynamicMRIReconLib.methods.common import speed
from DynamicMRIReconLib.methods.common.frames import frames_at_once

_MIB = 2**20
#: Python with torch and the NUFFT, and what comes with the estimation of coil sensitivity maps
PROGRAM_BYTES, MAPS_BYTES = 255 * _MIB, 175 * _MIB
#: libraries of a network, and its weights
NETWORK_BYTES = 40 * _MIB
#: coil images that exist together for each frame of a block: before, between and after the transform
COIL_IMAGES = 3
#: single images for each frame of a block: solution, right-hand side, residual, direction and temporaries
IMAGES = 8
#: results that exist together while they are put together and written
RESULTS = 2.5
#: seconds before anything is computed
START_S = 0.3
#: seconds of one core for forward and adjoint of one coil: for each voxel and each sample, by dimensions of the NUFFT
SECONDS_PER_VOXEL = {"cartesian": 10e-9, 2: 60e-9, 3: 400e-9}
SECONDS_PER_SAMPLE = {2: 90e-9, 3: 700e-9}
#: the same as a convolution, which takes over where samples are many
SECONDS_PER_VOXEL_BY_CONVOLUTION = {2: 75e-9, 3: 600e-9}
#: seconds for each voxel of each coil and frame, once: scaling and copying the samples, first images
SECONDS_ONCE_PER_VOXEL = 70e-9
#: seconds to load what estimates coil sensitivity maps, and for each coil of a slice to estimate them
SECONDS_TO_LOAD_MAPS = 2.4
SECONDS_PER_MAP = 0.065
#: how much faster than one core a CUDA device is
CUDA_SPEED = 30.0


def seconds(device: str, *, transforms: float = 0.0, networks: float = 0.0) -> float:
    """Seconds on ``device`` of what takes so many seconds on the reference core, in transforms and in networks."""
    if device.startswith("cuda"):
        # the program starts on this machine's processor, whatever computes afterwards
        return START_S / speed.transform_speed() + (transforms + networks) / CUDA_SPEED
    return (START_S + transforms) / speed.transform_speed() + networks / speed.network_speed()


def input_bytes(data: Data) -> float:
    """Memory of the data as they were read: long arrays lie in files."""
    if isinstance(data, list):
        return sum(input_bytes(one) for one in data)
    if isinstance(data, ImageSeries):
        return sum(_held(array) for array in (data.array, *data.parts.values()))
    arrays = (data.samples, data.trajectory, data.mask, data.density, data.coil_maps)
    return sum(_held(array) for array in arrays if array is not None)


def _held(array: NDArray[Any]) -> float:
    # no strides: it stands in for an array that is not read yet, and will lie in a file if it is long
    return float(spool.resident_bytes(array)) if any(array.strides) else spool.kept_bytes(array.nbytes)


def result_bytes(frames: int, voxels: int, item_bytes: int = 8) -> float:
    """Memory of a result of ``frames`` of ``voxels``; complex64 unless ``item_bytes`` says else."""
    return float(frames) * voxels * item_bytes


def bytes_per_frame(kspace: KSpace, coils: int) -> float:
    """Working memory of one frame of one slice, with ``coils`` (virtual) coils."""
    samples = math.prod(kspace.samples.shape[2:]) * coils
    return 8.0 * (voxels_together(kspace) * (COIL_IMAGES * coils + IMAGES) + 3 * samples) + kernel_bytes(kspace)


def kernel_bytes(kspace: KSpace) -> float:
    """Of one frame: the kernel of the gram as a convolution, real, twice the size on each axis."""
    return 0.0 if kspace.trajectory is None else 4.0 * 2 ** kspace.trajectory.shape[-1] * voxels_together(kspace)


def estimate(
    kspace: KSpace,
    device: str,
    coils: int,
    transforms: float,
    working_bytes: float,
    *,
    maps: bool,
    others: float = 0.0,
    networks: float = 0.0,
    in_blocks: bool = False,
) -> Estimate:
    """Memory and time of a reconstruction from k-space.

    Parameters
    ----------
    kspace, device
        Of the run.
    coils
        (Virtual) coils.
    transforms
        Pairs of forward and adjoint transform for each frame and slice.
    working_bytes
        What the method holds beside samples, program and result.
    maps
        Whether coil sensitivity maps are estimated where the data have none.
    others, networks
        Seconds of one core besides, in passes through memory and in networks.
    in_blocks
        Whether frames are done in blocks, so that a long result lies in a file.
    """
    slices = math.prod(kspace.matrix) // voxels_together(kspace)
    computed = kspace.frames * slices * coils * (pair_seconds(kspace) * transforms + once_seconds(kspace)) + others
    memory = PROGRAM_BYTES + input_bytes(kspace)
    if maps and kspace.coil_maps is None and kspace.coils > 1:
        computed += SECONDS_TO_LOAD_MAPS + kspace.matrix[0] * coils * SECONDS_PER_MAP
        memory += MAPS_BYTES
    result = result_bytes(kspace.frames, math.prod(kspace.matrix))
    if in_blocks:
        result = spool.kept_bytes(result)
    memory += max(RESULTS * result, (2 if slices > 1 else 1) * result + working_bytes)
    return Estimate(memory, seconds(device, transforms=computed, networks=networks))


def block_bytes(kspace: KSpace, coils: int, chosen_frames_at_once: int) -> float:
    """Memory of a block of frames with ``coils`` (virtual) coils; how many frames it has follows from all coils."""
    block = frames_at_once(kspace.frames, bytes_per_frame(kspace, kspace.coils), chosen_frames_at_once)
    return block * bytes_per_frame(kspace, coils)


def pair_seconds(kspace: KSpace) -> float:
    """Forward and adjoint transform of one frame of one coil."""
    voxels = voxels_together(kspace)
    if kspace.trajectory is None:
        return voxels * SECONDS_PER_VOXEL["cartesian"]
    dimensions = kspace.trajectory.shape[-1]
    samples = math.prod(kspace.trajectory.shape[-3:-1])
    directly = voxels * SECONDS_PER_VOXEL[dimensions] + samples * SECONDS_PER_SAMPLE[dimensions]
    return min(directly, voxels * SECONDS_PER_VOXEL_BY_CONVOLUTION[dimensions])


def once_seconds(kspace: KSpace) -> float:
    """What is done once with each frame of each coil."""
    return voxels_together(kspace) * SECONDS_ONCE_PER_VOXEL


def voxels_together(kspace: KSpace) -> int:
    """Voxels that are reconstructed together: of a slice, or of the volume for a 3-D trajectory."""
    volume = kspace.trajectory is not None and kspace.trajectory.shape[-1] == 3
    return math.prod(kspace.matrix if volume else kspace.matrix[1:])
