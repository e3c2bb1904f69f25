"""Temporal plus a small spatial total variation, the strongest classical prior on moving radial and spiral data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from DynamicMRIReconLib.methods.base import parameter
from DynamicMRIReconLib.methods.common.problem import Problem
from DynamicMRIReconLib.methods.common.regularised import RegularisedMethod, TemporalParameters, pace
from DynamicMRIReconLib.methods.registry import register


class SpaceTimeParameters(TemporalParameters):
    """Parameters of ``space-time``."""

    regularization: float = parameter(
        0.003, "Weight of the differences between frames: less noise and streaks, slower motion.", gt=0.0, le=10.0
    )
    spatial_regularization: float = parameter(
        0.001, "Weight of the spatial gradient: less noise and streaks, flatter texture.", gt=0.0, le=10.0
    )


@register
class SpaceTime(RegularisedMethod):
    """``min_x |A x - y|^2 / 2 + regularization * TV_t(x) + spatial_regularization * TV_xy(x)``."""

    key = "space-time"
    title = "Space-time total variation"
    description = "Temporal total variation with a little spatial total variation: sharp motion at few spokes."
    citation = (
        "L. Feng et al. Golden-angle radial sparse parallel MRI. Magn. Reson. Med. 72 (2014) 707-717. "
        "doi:10.1002/mrm.24980; L. I. Rudin, S. Osher, E. Fatemi. Nonlinear total variation based noise removal "
        "algorithms. Physica D 60 (1992) 259-268. doi:10.1016/0167-2789(92)90242-F"
    )
    Parameters = SpaceTimeParameters
    series_at_once, seconds_per_voxel = 30, 0.45e-6

    def penalties(self, problem: Problem, parameters: SpaceTimeParameters) -> Sequence[tuple[Any, float]]:
        """Temporal and spatial total variation."""
        from DynamicMRIReconLib.methods.common.penalties import SpatialTotalVariation, TemporalTotalVariation

        time, space = parameters.regularization, parameters.spatial_regularization
        return [
            (TemporalTotalVariation(problem.shape, time, cyclic=parameters.cyclic), pace(time)),
            (SpatialTotalVariation(problem.shape, space, problem.transform_axes), pace(space, 0.03)),
        ]
