"""The classical super-resolution of stacks: the volume whose blurred slices are those that were measured."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import stack_estimates
from DynamicMRIReconLib.methods.common.frames import Preview
from DynamicMRIReconLib.methods.common.stack_checks import why_not_stacks
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters
from DynamicMRIReconLib.methods.common.stack_preparation import prepare
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from torch import Tensor

    from DynamicMRIReconLib.methods.common.tikhonov import Term


class SrrParameters(StackParameters):
    """Parameters of ``srr``."""

    regularization: float = parameter(0.015, "Weight of the penalty; larger is smoother.", ge=0, le=10)
    penalty: Literal["tikhonov", "huber", "tv"] = parameter(
        "tikhonov", "Squared differences of neighbours (smooth), absolute ones (sharp edges), or Huber's between them."
    )
    iterations: int = parameter(10, "Conjugate gradient iterations.", ge=1, le=500)
    slice_profile: Literal["gaussian", "boxcar"] = parameter(
        "gaussian", "What a slice averages: Gaussian, as scanners excite, or boxcar, as simulations average.",
        advanced=True,
    )  # fmt: skip
    in_plane_blur: float = parameter(
        1.2, "Width of the blur in the plane at half maximum; 0 for none.", ge=0, le=5, unit="voxels", advanced=True
    )
    huber_threshold: float = parameter(
        0.01, "Difference of neighbours, of the brightest voxel, above which Huber's penalty is linear.", gt=0, le=1,
        advanced=True,
    )  # fmt: skip
    slice_cycles: int = parameter(
        0, "Rounds of slice-to-volume registration, for patients who moved between slices (3 for a fetus); 0 for none.",
        ge=0, le=10,
    )  # fmt: skip
    outlier_threshold: float = parameter(
        0.7, "With slice_cycles: slices that correlate less than this with the volume are left out in the last round.",
        ge=0, le=1, advanced=True,
    )  # fmt: skip


@register
class Srr(Method):
    """``minimise  sum_k |M_k (A_k x - y_k)|^2 / 2 + regularization R(D x)``, then negative values are set to 0.

    ``A_k`` takes the volume x to the stack y_k: rigid motion, slice profile (as thick as the slice through it, 1.2
    voxels wide in it), sampling. ``M_k`` are masks, ``D`` the differences of neighbouring voxels, and R half the sum of
    squares (``tikhonov``), their lengths (``tv``) or half squares below the threshold and lengths above it, in units of
    it (``huber``). Solved by conjugate gradients; the penalties with edges by reweighting four times. Intensities are
    scaled to about 1 before.

    With ``slice_cycles`` every slice is registered with the volume that all slices make, in turn with a new volume, and
    slices that fit none are left out; the penalty falls from round to round.
    """

    key = "srr"
    title = "Super-resolution (SRR)"
    description = "The volume that explains all stacks through their slice profile, with a smoothness penalty."
    citation = (
        "M. Ebner, G. Wang, W. Li, M. Aertsen, P. A. Patel, R. Aughwane, A. Melbourne, T. Doel, S. Dymarkowski, P. De "
        "Coppi, A. L. David, J. Deprest, S. Ourselin, T. Vercauteren. An automated framework for localization, "
        "segmentation and super-resolution reconstruction of fetal brain MRI. NeuroImage 206 (2020) 116324. "
        "doi:10.1016/j.neuroimage.2019.116324"
    )
    input_kind = "stacks"
    Parameters = SrrParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"iterations": 6, "registration_refinements": 0},
        "standard": {},
        "faithful": {"registration_refinements": 0},
    }

    def why_not(self, data: Data) -> str | None:
        """Two or more stacks of one volume each fit."""
        return super().why_not(data) or why_not_stacks(data)

    def estimate(self, data: Data, parameters: SrrParameters, device: str) -> Estimate:
        """One look-up and its adjoint for each stack, plane of a slice and iteration."""
        assert isinstance(data, list)
        work = stack_estimates.work_of(data, parameters)
        outer = 1 if parameters.penalty == "tikhonov" else 1 + REWEIGHTINGS
        grams = parameters.iterations * outer + parameters.slice_cycles * (parameters.iterations + 80)
        seconds = 5 * stack_estimates.LOOK_UP_S * work.voxels * work.stacks * grams
        return stack_estimates.estimate(work, device, seconds=seconds)

    def run(self, data: list[ImageSeries], parameters: SrrParameters, context: Context) -> ImageSeries:
        """Reconstruct: one frame, in the intensity scale of the fixed stack."""
        from DynamicMRIReconLib.methods.common.stack_motion import correct_motion
        from DynamicMRIReconLib.methods.common.stack_terms import terms_of

        stacks = prepare(data, parameters, context.part(0, 2))
        solving = context.part(1, 2)
        settings = {"profile": parameters.slice_profile, "in_plane_blur": parameters.in_plane_blur}
        notes: dict[str, Any] = {}
        if parameters.slice_cycles:
            solving.step(0.0, "Slice-to-volume registration")
            terms, rejected = correct_motion(
                stacks,
                settings,
                cycles=parameters.slice_cycles,
                regularization=parameters.regularization,
                iterations=parameters.iterations,
                threshold=parameters.outlier_threshold,
                context=solving.part(0, 2),
            )
            solving, notes["rejected_slices"] = solving.part(1, 2), rejected
        else:
            terms = terms_of(stacks.stacks, stacks.grid, device=context.device, **settings)  # type: ignore[arg-type]
        volume = penalised(terms, parameters, solving)
        size = _penalty(volume, parameters)
        context.add_figures(
            misfit=_misfit(terms, volume), penalty=parameters.regularization * size, penalty_per_regularization=size
        )
        return stacks.result(volume.clamp_min(0).cpu().numpy(), slice_profile=parameters.slice_profile, **notes)


#: how often the weights of an edge-preserving penalty are renewed
REWEIGHTINGS = 3
#: length of a difference below which total variation is smooth
_TV_SMOOTHING = 0.01


def penalised(terms: list[Term], parameters: SrrParameters, context: Context) -> Tensor:
    """The volume of least misfit and penalty, (z, y, x)."""
    import torch

    from DynamicMRIReconLib.methods.common.tikhonov import least_gradient

    rounds = 1 if parameters.penalty == "tikhonov" else 1 + REWEIGHTINGS
    volume, preview = None, Preview(context)

    def solved(part: Context, before: Tensor | None) -> NDArray[np.float32]:
        part.step(0.0, "Super-resolution")

        def told(status: Any) -> None:
            part.step(status.iteration / parameters.iterations, f"Super-resolution, iteration {status.iteration}")
            preview.offer(status.solution[None])

        found = least_gradient(
            terms,
            parameters.regularization,
            x0=before,
            iterations=parameters.iterations,
            edge_weights=None if before is None else _edge_weights(before, parameters),
            callback=told,
            keep=part.loop("cg", f"iteration {{}} of {parameters.iterations}"),
        )
        array: NDArray[np.float32] = found.cpu().numpy()
        return array

    for number in range(rounds):
        part, before = context.part(number, rounds), volume
        array = part.once(f"round {number + 1} of {rounds}", partial(solved, before=before))
        volume = torch.from_numpy(array).to(terms[0].samples.device)
    assert volume is not None
    return volume


def _edge_weights(volume: Tensor, parameters: SrrParameters) -> Tensor:
    """The weights that make half of ``v |D x|^2`` touch the penalty where the volume is now."""
    from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator

    shape = (1, *volume.shape)
    gradient = FiniteDifferenceOperator(shape, (1, 2, 3)).forward(volume[None])
    length = gradient.square().sum(0, keepdim=True).sqrt()
    if parameters.penalty == "tv":
        weights = 1 / (length.square() + _TV_SMOOTHING**2).sqrt()
    else:
        # Huber's penalty over its threshold: 1 for small differences, falling with the length of large ones
        weights = parameters.huber_threshold / length.clamp_min(parameters.huber_threshold)
    return weights.expand_as(gradient)


def _penalty(volume: Tensor, parameters: SrrParameters) -> float:
    """``R(D x)``."""
    from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator

    gradient = FiniteDifferenceOperator((1, *volume.shape), (1, 2, 3)).forward(volume[None])
    square = gradient.square().sum(0)
    if parameters.penalty == "tikhonov":
        return float(square.sum()) / 2
    length = square.sqrt()
    if parameters.penalty == "tv":
        return float(length.sum())
    threshold = parameters.huber_threshold
    return float((square / 2).where(length <= threshold, threshold * (length - threshold / 2)).sum())


def _misfit(terms: list[Term], volume: Tensor) -> float:
    return sum(
        float((term.weights * (term.operator.forward(volume) - term.samples).square()).sum()) / 2 for term in terms
    )
