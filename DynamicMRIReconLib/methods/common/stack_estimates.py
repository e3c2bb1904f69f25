"""Memory and time of methods on stacks, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Estimate
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.stack_grid import box_of, output_grid
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters

#: seconds on one core to register a stack, at least and for each voxel of its isotropic grid, and to look up a point
REGISTRATION_S, REGISTRATION_VOXEL_S = 2.0, 5e-6
LOOK_UP_S = 6e-8
BYTES = 4.0
#: seconds to load SimpleITK and what stacks need, and the memory of it and of Python with torch
START_S, PROGRAM_BYTES = 1.5, 340 * 2**20


@dataclass(frozen=True)
class Work:
    """How much there is: voxels of the result and of all stacks (in their masks), and seconds of registration."""

    voxels: int
    samples: int
    stacks: int
    registration_s: float
    input_bytes: float


def work_of(stacks: list[ImageSeries], parameters: StackParameters) -> Work:
    """The work that ``parameters`` ask for; positions before registration are near enough."""
    try:
        voxels = output_grid([box_of(stack) for stack in stacks], parameters).voxels
    except (InputError, IndexError):
        # The run itself says what is wrong with it.
        voxels = max(stack.array.size for stack in stacks)
    sizes = [int((s.parts["mask"] > 0.5).sum()) if "mask" in s.parts else s.array.size for s in stacks]
    seconds = 0.0
    if parameters.registration == "rigid":
        spacings = [stack.geometry.spacing_mm for stack in stacks]
        fine = sum(size * float(s.prod() / s.min() ** 3) for size, s in zip(sizes, spacings, strict=True))
        once = (len(stacks) - 1) * REGISTRATION_S + REGISTRATION_VOXEL_S * fine
        seconds = once * (1 + parameters.registration_refinements)
    samples = sum(sizes)
    return Work(voxels, samples, len(stacks), seconds, estimates.input_bytes(list(stacks)))


def estimate(
    work: Work, device: str, *, seconds: float, volumes: float, extra_bytes: float = 0.0, networks: float = 0.0
) -> Estimate:
    """An estimate from the seconds of the method itself and the number of volumes it keeps.

    ``seconds`` are of passes through memory, ``networks`` those of a network, both of the reference core.
    """
    memory = PROGRAM_BYTES + extra_bytes + 4 * work.input_bytes + volumes * BYTES * work.voxels
    # registration and look-ups are done on the CPU whatever the device is
    computed = estimates.seconds("cpu", transforms=START_S + work.registration_s + seconds)
    trained = estimates.seconds(device, networks=networks) if networks else 0.0
    return Estimate(memory, computed + trained)
