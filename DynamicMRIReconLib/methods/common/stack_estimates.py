"""Memory and time of methods on stacks, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
BYTES_PER_LOOK_UP = 68.0
BYTES = 4.0
#: seconds to load what stacks need; memory of Python with torch and that, and what registration adds
START_S, PROGRAM_BYTES, REGISTRATION_BYTES = 1.0, 275 * 2**20, 70 * 2**20
#: volumes of the result's size, and of the input's, that exist together
VOLUMES, INPUTS = 3, 2


@dataclass(frozen=True)
class Work:
    """How much there is: voxels of the result and of all stacks (in their masks), and seconds of registration."""

    voxels: int
    samples: int
    stacks: int
    input_bytes: float
    registration_s: float = 0.0
    registered: bool = False
    refined: bool = False


def work_of(stacks: list[ImageSeries], parameters: StackParameters) -> Work:
    """The work that ``parameters`` ask for; positions before registration are near enough."""
    try:
        voxels = output_grid([box_of(stack) for stack in stacks], parameters).voxels
    except (InputError, IndexError):
        # The run itself says what is wrong with it.
        voxels = max(stack.array.size for stack in stacks)
    sizes = [int((s.parts["mask"] > 0.5).sum()) if "mask" in s.parts else s.array.size for s in stacks]
    there = Work(voxels, sum(sizes), len(stacks), estimates.input_bytes(list(stacks)))
    if parameters.registration != "rigid":
        return there
    spacings = [stack.geometry.spacing_mm for stack in stacks]
    fine = sum(size * float(s.prod() / s.min() ** 3) for size, s in zip(sizes, spacings, strict=True))
    moved, rounds = len(stacks) - 1, parameters.registration_refinements
    seconds = moved * REGISTRATION_S + REGISTRATION_VOXEL_S * fine
    seconds += rounds * (moved * REFINEMENT_S + REFINEMENT_VOXEL_S * fine)
    return replace(there, registration_s=seconds, registered=True, refined=rounds > 0)


def estimate(
    work: Work, device: str, *, seconds: float, look_ups: float = 1.0, extra_bytes: float = 0.0, networks: float = 0.0
) -> Estimate:
    """An estimate from the seconds of the method itself and the stacks it looks up in, 1 being all of them.

    ``seconds`` are of passes through memory, ``networks`` those of a network, both of the reference core.
    """
    if work.refined:
        # each stack is aligned with a super-resolution of the others
        look_ups = max(look_ups, 1 - 1 / work.stacks)
    memory = PROGRAM_BYTES + extra_bytes + INPUTS * work.input_bytes + VOLUMES * BYTES * work.voxels
    memory += REGISTRATION_BYTES if work.registered else 0
    memory += look_ups * work.stacks * BYTES_PER_LOOK_UP * work.voxels
    # registration and look-ups are done on the CPU whatever the device is
    computed = estimates.seconds("cpu", transforms=START_S + work.registration_s + seconds)
    trained = estimates.seconds(device, networks=networks) if networks else 0.0
    return Estimate(memory, computed + trained)
