"""Temporal total variation: frames differ from their neighbours only where something moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from DynamicMRIReconLib.methods.base import parameter
from DynamicMRIReconLib.methods.common.regularised import Problem, RegularisedMethod, RegularisedParameters, pace
from DynamicMRIReconLib.methods.registry import register


class GraspParameters(RegularisedParameters):
    """Parameters of ``grasp``."""

    regularization: float = parameter(
        0.005, "Weight of the differences between frames: less noise and streaks, slower motion.", gt=0.0, le=10.0
    )


@register
class Grasp(RegularisedMethod):
    """``min_x |A x - y|^2 / 2 + regularization * sum |x[t + 1] - x[t]|``."""

    key = "grasp"
    title = "GRASP (temporal total variation)"
    description = "All frames together: what does not move is shared, so that few spokes a frame are enough."
    citation = (
        "L. Feng et al. Golden-angle radial sparse parallel MRI. Magn. Reson. Med. 72 (2014) 707-717. "
        "doi:10.1002/mrm.24980"
    )
    Parameters = GraspParameters

    def penalties(self, problem: Problem, parameters: GraspParameters) -> Sequence[tuple[Any, float]]:
        """Temporal total variation."""
        from DynamicMRIReconLib.methods.common.penalties import TemporalTotalVariation

        weight = parameters.regularization
        return [(TemporalTotalVariation(problem.shape, weight), pace(weight))]
