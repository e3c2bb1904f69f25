"""Low rank plus sparse as it was published: iterative soft thresholding of both parts.

R. Otazo, E. Candes, D. K. Sodickson, Magn. Reson. Med. 73 (2015) 1125-1136, doi:10.1002/mrm.25240, and its authors'
demonstrations: temporal Fourier sparsity, the singular values thresholded relative to the largest one (the paper
writes an absolute threshold, its code has always used this), the sparse step from the last but one low-rank part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from DynamicMRIReconLib.methods.common.problem import Problem

if TYPE_CHECKING:
    from torch import Tensor

    from DynamicMRIReconLib.solvers.keeping import State


def published_low_rank_sparse(
    problem: Problem, low_rank: float, sparse: float, iterations: int, tolerance: float
) -> Tensor:
    """Reconstruct a weighted ``problem`` (``prepare(..., weighted=True)``): (2, frames, z, y, x), low rank and sparse.

    Parameters
    ----------
    low_rank
        threshold of the singular values as a part of the largest: 0.01 in the demonstrations.
    sparse
        threshold of the temporal frequencies, the image being about 1: 0.0025 for cine, 0.01 for perfusion.
    iterations
        the most to do: 50.
    tolerance
        stop when the series changes by less than this part of it: 0.0025.
    """
    import torch

    from DynamicMRIReconLib.methods.common.penalties import TemporalFourierSparsity
    from DynamicMRIReconLib.solvers.power_iteration import largest_eigenvalue
    from DynamicMRIReconLib.solvers.prox import singular_value_threshold, singular_values
    from DynamicMRIReconLib.solvers.status import Status

    # the published step is 1, with data scaled so that the gram's norm is 1; the margin is for the power iteration,
    # which comes from below
    step = 1 / (1.02 * largest_eigenvalue(problem.model.gram, problem.rhs, seed=problem.context.seed))
    sparsity = TemporalFourierSparsity(sparse)
    report = problem.callback(iterations)
    loop = problem.loop("soft thresholding", iterations)
    series = step * problem.rhs
    background, moving, done = series, torch.zeros_like(series), 0
    if (kept := loop.found()) is not None:
        series, background, moving, done = kept["series"], kept["background"], kept["moving"], int(kept["iteration"])

    def state() -> State:
        return {"series": series, "background": background, "moving": moving}

    for iteration in range(done + 1, iterations + 1):
        previous, previous_background = series, background
        rest = series - moving
        threshold = low_rank * float(singular_values(rest.flatten(1)).max())
        background = singular_value_threshold(rest.flatten(1), threshold).reshape(rest.shape)
        coefficients = sparsity.forward(series - previous_background)
        moving = sparsity.adjoint(sparsity.prox(coefficients, 1.0))
        gradient = problem.model.gram(background + moving) - problem.rhs
        series = background + moving - step * gradient
        change = float(torch.linalg.vector_norm(series - previous) / torch.linalg.vector_norm(previous))
        if change != change:
            raise ValueError(f"Iterative soft thresholding met numbers that are not finite in iteration {iteration}.")
        parts = torch.stack([background, moving])
        value = low_rank * float(singular_values(background.flatten(1)).sum()) + sparsity.value(coefficients)
        report(Status(iteration, change, problem.misfit(parts.sum(0)) + value, parts))
        if change < tolerance:
            break
        loop.keep(iteration, state)
    return torch.stack([background, moving])
