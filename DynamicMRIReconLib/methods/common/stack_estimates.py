"""Memory and time of methods on stacks, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Estimate
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.stack_grid import box_of, output_grid
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters

#: seconds on one core to register a stack, at least and for each voxel of its isotropic grid, and to refine it
REGISTRATION_S, REGISTRATION_VOXEL_S = 0.3, 6.3e-6
REFINEMENT_S, REFINEMENT_VOXEL_S = 1.3, 1.1e-5
#: and to look up a point
LOOK_UP_S = 6.5e-8
#: what a super-resolution holds for each voxel of the result and each stack
BYTES_PER_LOOK_UP = 90.0
BYTES = 4.0
#: seconds to load SimpleITK and what stacks need, and the memory of it and of Python with torch
START_S, PROGRAM_BYTES = 1.0, 345 * 2**20
#: volumes of the result's size that exist together
VOLUMES = 6


@dataclass(frozen=True)
class Work:
    """How much there is: voxels of the result and of all stacks (in their masks), and seconds of registration."""

    voxels: int
    samples: int
    stacks: int
    registration_s: float
    input_bytes: float
    refined: bool


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
        moved = len(stacks) - 1
        seconds = moved * REGISTRATION_S + REGISTRATION_VOXEL_S * fine
        refined = parameters.registration_refinements
        seconds += refined * (moved * REFINEMENT_S + REFINEMENT_VOXEL_S * fine)
    samples = sum(sizes)
    refined = parameters.registration == "rigid" and parameters.registration_refinements > 0
    return Work(voxels, samples, len(stacks), seconds, estimates.input_bytes(list(stacks)), refined)


def estimate(
    work: Work, device: str, *, seconds: float, look_ups: float = 1.0, extra_bytes: float = 0.0, networks: float = 0.0
) -> Estimate:
    """An estimate from the seconds of the method itself and the stacks it looks up in, 1 being all of them.

    ``seconds`` are of passes through memory, ``networks`` those of a network, both of the reference core.
    """
    if work.refined:
        # each stack is aligned with a super-resolution of the others
        look_ups = max(look_ups, 1 - 1 / work.stacks)
    memory = PROGRAM_BYTES + extra_bytes + 4 * work.input_bytes + VOLUMES * BYTES * work.voxels
    memory += look_ups * work.stacks * BYTES_PER_LOOK_UP * work.voxels
    # registration and look-ups are done on the CPU whatever the device is
    computed = estimates.seconds("cpu", transforms=START_S + work.registration_s + seconds)
    trained = estimates.seconds(device, networks=networks) if networks else 0.0
    return Estimate(memory, computed + trained)
