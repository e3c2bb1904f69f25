"""From one slice of k-space to a fitted representation, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.compiled import compiled
from DynamicMRIReconLib.methods.common.field_epochs import PublishedWeights, fit_published
from DynamicMRIReconLib.methods.common.frames import Preview
from DynamicMRIReconLib.methods.common.held_out import HeldOut, held_out_samples, without
from DynamicMRIReconLib.methods.common.motion_fit import FieldWeights, fit_motion_field
from DynamicMRIReconLib.methods.common.preparation import sensitivity_maps
from DynamicMRIReconLib.methods.common.problem import Problem, prepare
from DynamicMRIReconLib.methods.common.regularised import minimise
from DynamicMRIReconLib.networks.motion_field import MotionField
from DynamicMRIReconLib.networks.st_inr import SpatioTemporalField
from DynamicMRIReconLib.operators.acquisition_model import acquisition_model
from DynamicMRIReconLib.operators.coil_compression import compress_coils

if TYPE_CHECKING:
    from DynamicMRIReconLib.methods.st_inr import StInrParameters

#: checks without a better prediction of the samples held out before a fit ends
PATIENCE = 10
#: the change's spatial total variation, and the displacement's differences in time, relative to their partners
SPATIAL_PART, TEMPORAL_PART = 1 / 3, 0.3
#: frames that are evaluated together for the result
FRAMES_AT_ONCE = 16


@dataclass(frozen=True)
class Fitted:
    """A representation of one slice.

    Attributes
    ----------
    field
        frame numbers (frames,) -> (frames, 1, y, x) complex of about 1.
    scale
        of the intensities.
    settings
        JSON-able; ``build`` makes a field of them.
    left_out
        part of the samples that was not fitted.
    """

    field: nn.Module
    scale: float
    settings: dict[str, Any]
    left_out: float = 0.0

    def series(self, numbers: NDArray[np.float64]) -> NDArray[np.complex64]:
        """(frames, 1, y, x) at fractional frame numbers, in the intensity scale of the data."""
        device = next(self.field.parameters()).device
        asked = torch.as_tensor(numbers, dtype=torch.float32, device=device)
        with torch.no_grad():
            parts = [(self.field(some) * self.scale).cpu() for some in asked.split(FRAMES_AT_ONCE)]
        array: NDArray[np.complex64] = torch.cat(parts).numpy()
        return array

    def state(self) -> dict[str, Tensor]:
        """Tensors from which ``from_file`` makes it again."""
        return {**self.field.state_dict(), "scale": torch.tensor([self.scale], dtype=torch.float64)}


def fit(kspace: KSpace, parameters: StInrParameters, context: Context) -> Fitted:
    """Fit a representation to one slice with density weights."""
    torch.manual_seed(context.seed)
    context.step(0.0, "coil sensitivity maps")
    kspace = compress_coils(kspace, parameters.coil_compression, parameters.coil_energy)
    kspace = replace(kspace, coil_maps=sensitivity_maps(kspace))
    all_coils = parameters.model_copy(update={"coil_compression": 0, "coil_energy": 0.0})
    whole = problem = prepare(kspace, all_coils, context, Preview(context))
    held = held_out_samples(kspace, parameters.held_out, context.seed)
    left_out = held.sum() / (held.size if kspace.mask is None else kspace.mask.sum())
    checked = None
    if held.any():
        where = torch.as_tensor(held, dtype=torch.float32, device=whole.rhs.device)[:, None]
        checked = HeldOut(whole.model, whole.samples, where, PATIENCE)
        problem = _less(whole, held, where, parameters.nufft_backend)
    settings = _settings(problem, parameters)
    if parameters.representation == "motion":
        field: nn.Module = _fit_motion(problem, parameters, checked)
    else:
        network = build(settings).to(context.device)
        assert isinstance(network, SpatioTemporalField)
        if parameters.compiled:
            context.step(0.0, "compiling the network")
            network.layers = compiled(network.network, network.example(), context.warn)
        published = PublishedWeights(
            parameters.temporal_variation, parameters.low_rank_regularization, parameters.epsilon
        )
        field = fit_published(problem, network, published, parameters.epochs, checked)
    numbers = torch.arange(kspace.frames, device=context.device, dtype=torch.float32)
    with torch.no_grad():
        context.add_figures(misfit=whole.misfit(field(numbers)))
    return Fitted(field, problem.scale, settings, float(left_out))


def from_file(settings: dict[str, Any], state: dict[str, Tensor], kspace: KSpace, device: str) -> Fitted:
    """What ``Fitted.state`` gave, fitted to a slice of the size of ``kspace``'s.

    Raises
    ------
    InputError
        If settings and state do not belong together.
    """
    try:
        # without memory of its own: a file must not be able to ask for more than it holds
        with torch.device("meta"):
            field = build(settings)
        rest = dict(state)
        scale = float(rest.pop("scale"))
        field.load_state_dict(rest, assign=True)
        field.float()
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError("The model does not fit together: its tensors are not those that its settings ask for.") from (
            error
        )
    if tuple(settings["shape"]) != (kspace.frames, *kspace.matrix[1:]):
        raise InputError("The model was fitted to a scan of another size.")
    return Fitted(field.to(device), scale, settings)


def build(settings: dict[str, Any]) -> nn.Module:
    """An unfitted field."""
    values = dict(settings)
    kind, shape = values.pop("representation"), tuple(values.pop("shape"))
    return MotionField(shape) if kind == "motion" else SpatioTemporalField(shape, **values)


def _settings(problem: Problem, parameters: StInrParameters) -> dict[str, Any]:
    frames, _, ny, nx = problem.shape
    common: dict[str, Any] = {"representation": parameters.representation, "shape": [frames, ny, nx]}
    if parameters.representation == "motion":
        return common
    names = ("hidden_width", "table_size", "growth")
    return {**common, **{name: getattr(parameters, name) for name in names}}


def _fit_motion(problem: Problem, parameters: StInrParameters, held_out: HeldOut | None) -> MotionField:
    from DynamicMRIReconLib.methods.st_inr import FIRST_STEPS, STEPS

    weights = FieldWeights(
        image=parameters.spatial_regularization,
        change_temporal=parameters.regularization,
        change_spatial=SPATIAL_PART * parameters.regularization,
        change=parameters.change_regularization,
        motion=parameters.motion_regularization,
        motion_temporal=TEMPORAL_PART * parameters.motion_regularization,
        cyclic=parameters.cyclic,
    )
    first, rest = (replace(problem, context=problem.context.part(index, 2)) for index in range(2))

    def started(part: Context) -> NDArray[np.complex64]:
        with_part = replace(first, context=part)
        found = _grasp(with_part, parameters) if parameters.warm_start == "grasp" else problem.start()
        array: NDArray[np.complex64] = found.cpu().numpy()
        return array

    start = torch.from_numpy(first.context.once("warm start", started)).to(problem.rhs.device)
    return fit_motion_field(
        rest,
        start,
        weights,
        iterations=parameters.iterations,
        steps=STEPS,
        first_steps=FIRST_STEPS,
        held_out=held_out,
    )


def _grasp(problem: Problem, chosen: StInrParameters) -> Tensor:
    from DynamicMRIReconLib.methods.grasp import Grasp

    grasp = Grasp()
    parameters = grasp.parameters(cyclic=chosen.cyclic)
    problem = replace(problem, smoothness=parameters.smoothness)
    return minimise(problem, parameters, grasp.penalties(problem, parameters))


def _less(whole: Problem, held: NDArray[np.bool_], where: Tensor, backend: str) -> Problem:
    """The problem without the samples ``held`` out, in the same scale; ``where`` are the same as a tensor."""
    kept, weights = without(whole.kspace, held)
    assert kept.coil_maps is not None
    model = acquisition_model(kept, kept.coil_maps, whole.rhs.device, backend, weights=weights)
    samples = whole.samples * (1 - where)
    density = whole.density if weights is not None else whole.density * (1 - where[:, 0])
    return replace(whole, kspace=kept, model=model, samples=samples, rhs=model.adjoint(samples), density=density)
