"""Low rank plus sparse: a background that changes little, and on it what moves."""

from __future__ import annotations

import math
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

PARTS = ("low-rank", "sparse")


class LowRankSparseParameters(TemporalParameters):
    """Parameters of ``low-rank-sparse``."""

    iterations: int = parameter(
        16, "Iterations; two parts take more than one to come close to the minimum.", ge=1, le=1000
    )
    regularization: float = parameter(
        0.005, "Weight of the sparse part: less noise and streaks, slower motion.", gt=0.0, le=10.0
    )
    low_rank_regularization: float = parameter(
        0.005,
        "Weight of the singular values of the background, multiplied by the square root of the voxels of a frame as "
        "those of noise are: a simpler background.",
        gt=0.0,
        le=10.0,
    )
    solver: Literal["admm", "soft-thresholding"] = parameter(
        "admm",
        "admm comes to the minimum; soft-thresholding is the published iteration: low_rank_regularization is then a "
        "part of the largest singular value, and the sparsity always temporal-fourier.",
        advanced=True,
    )
    sparsity: Literal["temporal-tv", "temporal-fourier"] = parameter(
        "temporal-tv", "What is sparse in the moving part: differences between frames, or temporal frequencies."
    )


@register
class LowRankSparse(RegularisedMethod):
    """``min_(L,S) |A (L + S) - y|^2 / 2 + low_rank_regularization sqrt(voxels) |L|_* + regularization |T S|_1``.

    T takes differences between frames and, for these do not see a background, the mean over time; or temporal
    frequencies. The factor is that of robust principal component analysis (E. Candes et al., J. ACM 58 (2011) 11,
    doi:10.1145/1970392.1970395). The series is L + S; both are its ``parts``.
    """

    key = "low-rank-sparse"
    title = "Low rank plus sparse (L+S)"
    description = "Separates a background that changes little from what moves on it; both can be viewed."
    citation = (
        "R. Otazo, E. Candes, D. K. Sodickson. Low-rank plus sparse matrix decomposition for accelerated dynamic MRI "
        "with separation of background and dynamic components. Magn. Reson. Med. 73 (2015) 1125-1136. "
        "doi:10.1002/mrm.25240"
    )
    Parameters = LowRankSparseParameters
    series_at_once, seconds_per_voxel = 39, 0.8e-6
    parts = PARTS
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        **RegularisedMethod.presets,
        "faithful": {
            "solver": "soft-thresholding",
            "sparsity": "temporal-fourier",
            "regularization": 0.0025,
            "low_rank_regularization": 0.01,
            "iterations": 50,
            "tolerance": 0.0025,
            "smoothness": 0.0,
            "cyclic": False,
        },
    }

    def penalties(self, problem: Problem, parameters: LowRankSparseParameters) -> list[tuple[Any, float]]:
        """The nuclear norm of the first part, the sparsity of the second."""
        from DynamicMRIReconLib.methods.common.penalties import (
            LowRank,
            TemporalFourierSparsity,
            TemporalMeanSparsity,
            TemporalTotalVariation,
        )
        from DynamicMRIReconLib.methods.common.penalty_of_part import OfPart

        weight, noise = parameters.regularization, math.sqrt(math.prod(problem.shape[1:]))
        low_rank = LowRank(parameters.low_rank_regularization * noise)
        sparse: list[tuple[Any, float]] = [(TemporalFourierSparsity(weight), pace(weight))]
        if parameters.sparsity == "temporal-tv":
            mean = TemporalMeanSparsity(problem.shape, weight)
            sparse = [
                (TemporalTotalVariation(problem.shape, weight, cyclic=parameters.cyclic), pace(weight)),
                (mean, pace(weight, 1.0)),
            ]
        parts = [(OfPart(penalty, 1, len(PARTS)), constraint) for penalty, constraint in sparse]
        return [(OfPart(low_rank, 0, len(PARTS)), pace(low_rank.weight, 0.1 * noise)), *parts]

    def estimate(self, data: Data, parameters: LowRankSparseParameters, device: str) -> Estimate:
        """All frames are in memory together."""
        if parameters.solver == "admm":
            return super().estimate(data, parameters, device)
        assert isinstance(data, KSpace)
        # a gram and the misfit in each iteration, and the gram's norm before
        return self._estimate(data, parameters, device, 1.6 * parameters.iterations + 20, SET_UP_PER_VOXEL)

    def run(self, data: KSpace, parameters: LowRankSparseParameters, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data."""

        published = parameters.solver == "soft-thresholding"

        def solve(problem: Problem) -> Tensor:
            if not published:
                return self._solve(problem, parameters)
            from DynamicMRIReconLib.methods.common.published_low_rank_sparse import published_low_rank_sparse

            low_rank, sparse = parameters.low_rank_regularization, parameters.regularization
            return published_low_rank_sparse(problem, low_rank, sparse, parameters.iterations, parameters.tolerance)

        return run_regularised(data, parameters, context, solve, self.penalties, PARTS, weighted=published)

    def _solve(self, problem: Problem, parameters: LowRankSparseParameters) -> Tensor:
        import torch

        from DynamicMRIReconLib.methods.common.problem import FLOOR
        from DynamicMRIReconLib.operators.preconditioner import SumPreconditioner
        from DynamicMRIReconLib.solvers.admm import admm

        terms = self.penalties(problem, parameters)
        weights = [weight for _, weight in terms]
        # the mean of K^H K over frequencies: differences between frames square to 2, the others to 1
        sizes = [weight * (2 * p.smoothness.temporal + p.smoothness.identity) for p, weight in terms]
        first, second = FLOOR + sizes[0], FLOOR + sum(sizes[1:])
        start, watched = problem.start(), problem.watched

        def both(x: Tensor) -> Tensor:
            return torch.stack([x, x])

        def coupling(x: Tensor) -> Tensor:
            result = torch.zeros_like(x)
            for penalty, weight in terms:
                penalty.add_gram(x, weight, result)
            return result

        return admm(
            lambda x: both(problem.gram(x.sum(0))),
            both(problem.rhs),
            [penalty for penalty, _ in terms],
            weights,
            x0=torch.stack([start, torch.zeros_like(start)]),
            coupling=coupling,
            preconditioner=SumPreconditioner(
                problem.density, first, second, problem.transform_axes, spatial=problem.smoothness
            ),
            iterations=parameters.iterations,
            inner_iterations=problem.inner_iterations,
            tolerance=parameters.tolerance,
            energy=problem.energy,
            misfit=(lambda x: watched(x.sum(0))) if watched is not None else None,
            callback=problem.callback(parameters.iterations),
            keep=problem.loop("admm", parameters.iterations),
        )
