"""Spatial total variation of every frame on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from DynamicMRIReconLib.methods.base import parameter
from DynamicMRIReconLib.methods.common.problem import Problem
from DynamicMRIReconLib.methods.common.regularised import RegularisedMethod, RegularisedParameters, pace
from DynamicMRIReconLib.methods.registry import register


class TvParameters(RegularisedParameters):
    """Parameters of ``tv``."""

    regularization: float = parameter(
        0.003, "Weight of the spatial gradient: less noise and streaks, flatter texture.", gt=0.0, le=10.0
    )


@register
class Tv(RegularisedMethod):
    """``min_x |A x - y|^2 / 2 + regularization * sum over voxels |gradient of x|``, isotropic, by ADMM."""

    key = "tv"
    title = "Total variation (spatial)"
    description = "Each frame on its own, with as few edges as the samples allow; for single images or fast motion."
    citation = (
        "K. T. Block, M. Uecker, J. Frahm. Undersampled radial MRI with multiple coils. Magn. Reson. Med. 57 (2007) "
        "1086-1098. doi:10.1002/mrm.21236"
    )
    Parameters = TvParameters
    series_at_once, seconds_per_voxel = 27, 0.4e-6
    needs_frames = 1

    def penalties(self, problem: Problem, parameters: TvParameters) -> Sequence[tuple[Any, float]]:
        """Spatial total variation."""
        from DynamicMRIReconLib.methods.common.penalties import SpatialTotalVariation

        weight = parameters.regularization
        return [(SpatialTotalVariation(problem.shape, weight, problem.transform_axes), pace(weight))]
