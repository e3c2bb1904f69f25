"""GRASP as it was published: nonlinear conjugate gradients, a few of them, three times over.

L. Feng et al., Magn. Reson. Med. 72 (2014) 707-717, doi:10.1002/mrm.24980, and its authors' demonstration: samples and
model weighted by the root of the density compensation, ``|E x - y|^2 + lambda |D_t x|_1`` smoothed with 1e-15,
Fletcher-Reeves with backtracking, started from gridding and restarted from the last result. It is stopped long before
it converges, which is part of what it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from DynamicMRIReconLib.methods.common.problem import Problem
from DynamicMRIReconLib.solvers.status import Status

if TYPE_CHECKING:
    from torch import Tensor

RESTARTS = 3


def published_grasp(problem: Problem, regularization: float, iterations: int, tolerance: float) -> Tensor:
    """Reconstruct a weighted ``problem`` (``prepare(..., weighted=True)``).

    Parameters
    ----------
    problem
        data scaled so that the image is about 1, as lambda is given relative to the largest gridded value.
    regularization
        lambda of the paper divided by that value: 0.25 in the authors' demonstration.
    iterations, tolerance
        of each of the three runs: 9, and 1e-3 for the length of the step direction.
    """
    import torch

    from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
    from DynamicMRIReconLib.solvers.nonlinear_cg import nonlinear_cg
    from DynamicMRIReconLib.solvers.smoothed_objective import SmoothedObjective

    largest = float(problem.rhs.abs().max())
    # scale 2: the published function has no factor 1/2, so its weight counts half in ours
    function = SmoothedObjective(
        problem.model.gram,
        problem.rhs,
        [(FiniteDifferenceOperator(problem.shape, (0,)), regularization * largest / 2)],
        energy=float(torch.linalg.vector_norm(problem.samples)) ** 2,
        scale=2.0,
    )
    report = problem.callback(RESTARTS * iterations)
    x = problem.rhs
    for run in range(RESTARTS):

        def callback(status: Status, done: int = run * iterations) -> None:
            report(Status(done + status.iteration, status.residual, status.objective, status.solution))

        x = nonlinear_cg(
            function.value,
            function.gradient,
            x,
            images=function.images,
            iterations=iterations,
            tolerance=tolerance,
            callback=callback,
            keep=problem.context.loop(f"run {run + 1}", f"run {run + 1} of {RESTARTS}, iteration {{}} of {iterations}"),
        )
    return x
