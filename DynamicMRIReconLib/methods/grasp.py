"""Temporal total variation: frames differ from their neighbours only where something moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, parameter
from DynamicMRIReconLib.methods.common.problem import Problem
from DynamicMRIReconLib.methods.common.regularised import (
    SET_UP_PER_VOXEL,
    RegularisedMethod,
    TemporalParameters,
    pace,
    run_regularised,
)
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from torch import Tensor


class GraspParameters(TemporalParameters):
    """Parameters of ``grasp``."""

    regularization: float = parameter(
        0.005, "Weight of the differences between frames: less noise and streaks, slower motion.", gt=0.0, le=10.0
    )
    solver: Literal["admm", "nonlinear-cg"] = parameter(
        "admm",
        "admm comes to the minimum; nonlinear-cg is the published iteration, density-weighted, run three times.",
        advanced=True,
    )


@register
class Grasp(RegularisedMethod):
    """``min_x |A x - y|^2 / 2 + regularization * sum |x[t + 1] - x[t]|``.

    With ``cyclic`` the first frame follows the last. This steadies both, which otherwise have one neighbour; being a
    sum of magnitudes it allows a jump there as anywhere else.
    """

    key = "grasp"
    title = "GRASP (temporal total variation)"
    description = "All frames together: what does not move is shared, so that few spokes a frame are enough."
    citation = (
        "L. Feng et al. Golden-angle radial sparse parallel MRI. Magn. Reson. Med. 72 (2014) 707-717. "
        "doi:10.1002/mrm.24980"
    )
    Parameters = GraspParameters
    series_at_once, seconds_per_voxel = 24, 0.35e-6
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        **RegularisedMethod.presets,
        "faithful": {
            "solver": "nonlinear-cg",
            "regularization": 0.25,
            "iterations": 9,
            "tolerance": 1e-3,
            "smoothness": 0.0,
            "cyclic": False,
        },
    }

    def penalties(self, problem: Problem, parameters: GraspParameters) -> Sequence[tuple[Any, float]]:
        """Temporal total variation."""
        from DynamicMRIReconLib.methods.common.penalties import TemporalTotalVariation

        weight = parameters.regularization
        return [(TemporalTotalVariation(problem.shape, weight, cyclic=parameters.cyclic), pace(weight))]

    def estimate(self, data: Data, parameters: GraspParameters, device: str) -> Estimate:
        """All frames are in memory together."""
        if parameters.solver == "admm":
            return super().estimate(data, parameters, device)
        from DynamicMRIReconLib.methods.common.published_grasp import RESTARTS

        assert isinstance(data, KSpace)
        transforms = 1.2 * RESTARTS * parameters.iterations + 3
        return self._estimate(data, parameters, device, transforms, SET_UP_PER_VOXEL)

    def run(self, data: KSpace, parameters: GraspParameters, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data."""
        if parameters.solver == "admm":
            return super().run(data, parameters, context)

        def solve(problem: Problem) -> Tensor:
            from DynamicMRIReconLib.methods.common.published_grasp import published_grasp

            return published_grasp(problem, parameters.regularization, parameters.iterations, parameters.tolerance)

        return run_regularised(data, parameters, context, solve, self.penalties, weighted=True)
