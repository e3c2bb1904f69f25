"""Volume super-resolution by an implicit neural representation: the volume is a network of position."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates, stack_estimates
from DynamicMRIReconLib.methods.common.stack_checks import why_not_stacks
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters
from DynamicMRIReconLib.methods.common.stack_preparation import PreparedStacks, prepare
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from torch import Tensor, nn

    from DynamicMRIReconLib.methods.common.irem_points import Frame

#: seconds for a point through the network and back, on one CPU core and on a GPU
_SECONDS_PER_POINT = {"fourier": (1.4e-4, 1.5e-6), "grid": (1.5e-6, 5e-8)}
_SECONDS_PER_STEP = {"fourier": 3e-3, "grid": 2e-3}
_POINTS_AT_ONCE = 100_000
_HOUR = 3600.0


class IremParameters(StackParameters):
    """Parameters of ``irem``."""

    network: Literal["grid", "fourier"] = parameter(
        "grid", "Grids of features with a small network, quick; or Fourier features with 18 layers, as published."
    )
    epochs: int = parameter(8, "Rounds of training through all voxels of all stacks.", ge=0, le=100_000)
    batch: int = parameter(8000, "Voxels in a training step.", ge=16, le=1_000_000, unit="voxels", advanced=True)
    learning_rate: float = parameter(5e-4, "Adam's step.", gt=0, le=1, advanced=True)
    grid_learning_rate: float = parameter(5e-4, "Adam's step for the grids of network=grid.", gt=0, le=1, advanced=True)
    halve_every: int = parameter(
        0, "Halve the steps after so many epochs; 0 lets them fall evenly.", ge=0, unit="epochs", advanced=True
    )
    start: Literal["srr", "none"] = parameter(
        "srr", "With network=grid: start from a quick edge-preserving super-resolution, or from nothing.", advanced=True
    )
    regularization: float | None = parameter(
        None, "Weight of the total variation; larger is smoother. Automatic: what foretells left-out voxels best.",
        ge=0, le=1,
    )  # fmt: skip
    precision: Literal["float32", "bfloat16"] = parameter(
        "float32", "Of the network while it is trained; bfloat16 is quicker on recent GPUs.", advanced=True
    )
    slice_profile: Literal["boxcar", "gaussian", "none"] = parameter(
        "boxcar", "What a slice averages; a box sharpens least. none takes voxels as points, as published.",
        advanced=True,
    )  # fmt: skip
    in_plane_blur: float = parameter(
        0.0, "Width of the blur in the plane at half maximum; 0 for none.", ge=0, le=5, unit="voxels", advanced=True
    )
    profile_points: int = parameter(
        0, "Points within the slice profile of each voxel; 0 for as many as there are voxels through a slice.",
        ge=0, le=256, advanced=True,
    )  # fmt: skip
    fourier_scale: float = parameter(
        1.0, "Spread of the frequencies of network=fourier, in cycles per half of the volume.", gt=0, le=100,
        advanced=True,
    )  # fmt: skip


@register
class Irem(Method):
    """``x(r) = f(r)`` with a network f that minimises ``mean over voxels (mean_j f(r_j) - y)^2 + regularization TV``.

    ``r_j`` are points within the slice profile around the voxel's middle, one for each part of equal weight; TV is the
    mean length of the differences of f over a voxel. The network knows no grid, so the result can have any voxel size.

    With ``network=fourier``, ``slice_profile=none`` and no penalty (preset ``faithful``) it is the published method:
    1,258,497 weights, batches of 2500 voxels, 1000 epochs, hours on a GPU. Otherwise f is a volume on the finest grid
    plus what a small network makes of grids of features from coarse to fine. It starts as the volume of ``srr`` with a
    total variation penalty, which gives most of its sharpness; the training makes it agree with the voxels of the
    stacks. Dark background is thinned out to a fifth.

    An automatic ``regularization`` follows the noise and the motion that registration leaves: a twentieth of the voxels
    in the middle is left out of reconstructions with weaker and stronger penalties, and the weight that foretells them
    best is taken, for the start as for the training.
    """

    key = "irem"
    title = "IREM"
    description = "One sharp volume as a neural function of position, learned from the stacks alone."
    citation = (
        "Q. Wu, Y. Li, L. Xu, R. Feng, H. Wei, Q. Yang, B. Yu, X. Liu, J. Yu, Y. Zhang. IREM: high-resolution magnetic "
        "resonance image reconstruction via implicit neural representation. MICCAI 2021, LNCS 12906, 65-74. "
        "doi:10.1007/978-3-030-87231-1_7"
    )
    input_kind = "stacks"
    prefers_gpu = True
    Parameters = IremParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"epochs": 2, "registration_refinements": 0},
        "standard": {},
        "faithful": {
            "network": "fourier",
            "epochs": 1000,
            "batch": 2500,
            "learning_rate": 1e-4,
            "halve_every": 500,
            "start": "none",
            "regularization": 0.0,
            "slice_profile": "none",
            "registration_refinements": 0,
        },
    }

    def why_not(self, data: Data) -> str | None:
        """Two or more stacks of one volume each fit."""
        return super().why_not(data) or why_not_stacks(data)

    def estimate(self, data: Data, parameters: IremParameters, device: str) -> Estimate:
        """Points looked up in training, steps, the start volume, and the voxels of the result."""
        assert isinstance(data, list)
        work = stack_estimates.work_of(data, parameters)
        on_gpu = device.startswith(("cuda", "mps"))
        per_point = _SECONDS_PER_POINT[parameters.network][1 if on_gpu else 0]
        draws = (
            1 if parameters.slice_profile == "none" else parameters.profile_points or _usual_points(data, parameters)
        )
        draws += 3 if parameters.regularization != 0 else 0
        points = parameters.epochs * work.samples * draws + work.voxels / 3
        steps = parameters.epochs * -(-work.samples // parameters.batch)
        training = points * per_point + steps * _SECONDS_PER_STEP[parameters.network]
        seconds = 0.0
        if parameters.network == "grid" and parameters.start == "srr":
            seconds += _start_seconds(work.voxels, work.stacks)
        if parameters.regularization is None:
            seconds += 2 * _start_seconds(min(work.voxels, _TRIED_VOXELS), work.stacks)
        wide = 256 * 18 if parameters.network == "fourier" else 200
        batch_bytes = 3 * 4.0 * wide * max(parameters.batch * draws, _POINTS_AT_ONCE / 3)
        # the constants of a GPU are measured ones, and not the processor's divided
        training *= estimates.CUDA_SPEED if device.startswith("cuda") else 1.0
        return stack_estimates.estimate(work, device, seconds=seconds, networks=training, extra_bytes=batch_bytes)

    def run(self, data: list[ImageSeries], parameters: IremParameters, context: Context) -> ImageSeries:
        """Train on the stacks and evaluate on the grid of the result: one frame, in the scale of the fixed stack."""
        import numpy as np
        import torch

        from DynamicMRIReconLib.methods.common.irem_points import Frame, Points, ProfilePoints
        from DynamicMRIReconLib.methods.common.irem_training import Training, evaluate, train

        expected = self.estimate(data, parameters, context.device).seconds
        if expected > _HOUR:
            context.warn(
                f"This will take about {expected / _HOUR:.0f} hours on {context.device}: the presets standard and fast "
                "take minutes."
            )
        stacks = prepare(data, parameters, context.part(0, 3))
        frame = Frame.around(stacks)
        generator = torch.Generator().manual_seed(context.seed)
        points = Points.of(stacks, frame, context.seed, context.device)
        weight = _weight(stacks, frame, parameters, context.part(0, 3))
        network = _network(stacks, frame, parameters, weight, generator, context.part(1, 3))
        voxel_mm = float(np.linalg.norm(frame.lattice.affine[:3, :3], axis=0).min())
        count = parameters.profile_points or _points_through(stacks, voxel_mm)
        profile = ProfilePoints(parameters.slice_profile, count, parameters.in_plane_blur)
        how = Training(
            epochs=parameters.epochs,
            batch=parameters.batch,
            learning_rate=parameters.learning_rate,
            grid_rate=parameters.grid_learning_rate,
            halve_every=parameters.halve_every,
            regularization=weight,
            mixed=parameters.precision == "bfloat16",
            voxel=voxel_mm / frame.half_mm,
        )
        misfit, variation = train(network, points, profile, how, generator, context.part(2, 3))
        if parameters.epochs:
            context.add_figures(misfit=misfit)
            if weight > 0:
                context.add_figures(penalty=weight * variation, penalty_per_regularization=variation)

        def positions(planes: slice) -> Tensor:
            at = frame.positions(stacks.grid.points_mm(planes))
            return torch.as_tensor(at, dtype=torch.float32, device=context.device)

        volume = evaluate(network, positions, stacks.grid.shape[0], _POINTS_AT_ONCE, context.part(2, 3))
        return stacks.result(volume.clamp_min(0).numpy(), slice_profile=parameters.slice_profile, regularization=weight)


def _points_through(stacks: PreparedStacks, voxel_mm: float) -> int:
    """Voxels of the start volume through the thickest slice."""
    return min(_MOST_POINTS, max(2, math.ceil(max(stack.thickness_mm for stack in stacks.stacks) / voxel_mm - 0.01)))


def _usual_points(data: list[ImageSeries], parameters: IremParameters) -> int:
    """The same before anything is prepared, for an estimate."""
    spacings = [stack.geometry.spacing_mm for stack in data]
    thickness = parameters.slice_thickness_mm or max(float(spacing[2]) for spacing in spacings)
    return min(_MOST_POINTS, max(2, math.ceil(thickness / min(float(spacing.min()) for spacing in spacings))))


_MOST_POINTS = 16
#: spacings of the feature grids, in voxels of the start volume
_LEVELS = (4, 2, 1)
#: iterations in each round of reweighting of the start volume
_START_ITERATIONS = 6
#: weight in the start, whose data term is a sum and not a mean, over that in the training
_START_SHARE = 1.25
#: voxels with which weights are tried, at most
_TRIED_VOXELS = 48**3


def _start_seconds(voxels: int, stacks: int) -> float:
    # half of what srr looks up: nothing is blurred in the plane
    return 2 * stack_estimates.LOOK_UP_S * voxels * stacks * 4 * _START_ITERATIONS


def _weight(stacks: PreparedStacks, frame: Frame, parameters: IremParameters, context: Context) -> float:
    """The weight of the total variation in the training."""
    if parameters.regularization is not None:
        return parameters.regularization
    from DynamicMRIReconLib.methods.common.left_out_voxels import best_weight

    context.step(1.0, "Looking how much to smooth")
    profile, blur = _start_profile(parameters)
    return best_weight(stacks.stacks, frame.lattice, profile, blur, context.part(0, 10**6)) / _START_SHARE


def _network(
    stacks: PreparedStacks,
    frame: Frame,
    parameters: IremParameters,
    weight: float,
    generator: Any,
    context: Context,
) -> nn.Module:
    """The network at its start, on the device."""
    import torch

    from DynamicMRIReconLib.networks.feature_grid import FeatureGridNetwork
    from DynamicMRIReconLib.networks.irem import IremNetwork

    # torch draws the weights of layers from its global generator
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    if parameters.network == "fourier":
        return IremNetwork(sigma=parameters.fourier_scale, generator=generator).to(context.device)
    shape = frame.lattice.shape
    voxel = [2 * half / max(1, n - 1) for half, n in zip(frame.extent, reversed(shape), strict=True)]
    network = FeatureGridNetwork(
        frame.extent, [max(voxel) * level for level in _LEVELS], base_shape=shape, generator=generator
    )
    if parameters.start == "srr":
        network.load_base(_start(stacks, frame, parameters, _START_SHARE * weight, context))
    return network.to(context.device)


def _start_profile(parameters: IremParameters) -> tuple[Literal["gaussian", "boxcar"], float]:
    """Profile and blur in the plane that the start volume takes; it cannot take voxels as points."""
    if parameters.slice_profile == "none":
        return "gaussian", 0.0
    return parameters.slice_profile, parameters.in_plane_blur


def _start(stacks: PreparedStacks, frame: Frame, parameters: IremParameters, weight: float, context: Context) -> Tensor:
    """A super-resolution with total variation on the frame's lattice."""
    from DynamicMRIReconLib.methods.common.stack_terms import terms_of
    from DynamicMRIReconLib.methods.srr import SrrParameters, penalised

    profile, blur = _start_profile(parameters)
    terms = terms_of(stacks.stacks, frame.lattice, profile=profile, in_plane_blur=blur, device=context.device)
    settings = SrrParameters(penalty="tv", regularization=weight, iterations=_START_ITERATIONS)
    return penalised(terms, settings, context).clamp_min(0).cpu()
