"""Locally low rank: in a small neighbourhood all voxels follow a few time courses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from DynamicMRIReconLib.methods.base import parameter
from DynamicMRIReconLib.methods.common.problem import Problem
from DynamicMRIReconLib.methods.common.regularised import RegularisedMethod, RegularisedParameters, pace
from DynamicMRIReconLib.methods.registry import register


class LocallyLowRankReconParameters(RegularisedParameters):
    """Parameters of ``locally-low-rank``."""

    regularization: float = parameter(
        0.03, "Weight of the singular values of the blocks: less noise and streaks, simpler motion.", gt=0.0, le=10.0
    )
    smoothness: float = parameter(
        0.0006,
        "Weight of the squared spatial gradient: keeps noise out of frequencies hardly measured; 0 for none.",
        ge=0.0,
        le=10.0,
        advanced=True,
    )
    mean_weight: float = parameter(
        0.6,
        "What the mean over time counts beside what changes: below 1 the still parts, which all frames measure "
        "together, are shrunk less.",
        gt=0.0,
        le=1.0,
        advanced=True,
    )
    block: int = parameter(8, "Side of the blocks.", ge=2, le=64, unit="voxels", advanced=True)


@register
class LocallyLowRankRecon(RegularisedMethod):
    """``min_x |A x - y|^2 / 2 + regularization * sum over blocks |block of W x|_*``, the mean over overlapping grids.

    W multiplies the mean over time by ``mean_weight`` and leaves what changes as it is.
    """

    key = "locally-low-rank"
    title = "Locally low rank"
    description = "In every small block all voxels follow a few time courses: strong on Cartesian k-t data."
    citation = (
        "T. Zhang, J. M. Pauly, I. R. Levesque. Accelerating parameter mapping with a locally low rank constraint. "
        "Magn. Reson. Med. 73 (2015) 655-661. doi:10.1002/mrm.25161"
    )
    Parameters = LocallyLowRankReconParameters
    series_at_once, seconds_per_voxel = 46, 0.75e-6
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        **RegularisedMethod.presets,
        "faithful": {**RegularisedMethod.presets["faithful"], "mean_weight": 1.0},
    }

    def penalties(self, problem: Problem, parameters: LocallyLowRankReconParameters) -> Sequence[tuple[Any, float]]:
        """Nuclear norms of overlapping blocks."""
        from DynamicMRIReconLib.methods.common.penalties import LocallyLowRank

        weight = parameters.regularization
        volume = len(problem.transform_axes) == 3
        penalty = LocallyLowRank(
            problem.shape, weight, parameters.block, volume=volume, mean_weight=parameters.mean_weight
        )
        return [(penalty, pace(weight, 0.6) / penalty.grids)]
