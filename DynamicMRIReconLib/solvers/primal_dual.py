"""First-order primal-dual method for least squares plus several penalties: no linear systems, no inner iterations.

A. Chambolle, T. Pock, J. Math. Imaging Vis. 40 (2011) 120-145, doi:10.1007/s10851-010-0251-1 (algorithm 1);
L. Condat, J. Optim. Theory Appl. 158 (2013) 460-479, doi:10.1007/s10957-012-0245-9 (over-relaxation).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from DynamicMRIReconLib.solvers.admm import Linear, Penalty
from DynamicMRIReconLib.solvers.power_iteration import largest_eigenvalue
from DynamicMRIReconLib.solvers.status import Callback, Status

#: the power iteration comes from below, by a few percent
MARGIN = 1.05


def conjugate_prox(prox: Callable[[Tensor, float], Tensor], z: Tensor, step: float) -> Tensor:
    """Proximal map of the conjugate, ``argmin_u step f*(u) + |u - z|^2 / 2``, from that of f (Moreau's identity)."""
    return z - step * prox(z / step, 1 / step)


def primal_dual(
    gram: Linear,
    rhs: Tensor,
    penalties: Sequence[Penalty],
    weights: Sequence[float],
    *,
    x0: Tensor,
    data_weight: float = 1.0,
    step: float | None = None,
    relaxation: float = 1.0,
    iterations: int = 100,
    tolerance: float = 0.0,
    energy: float = 0.0,
    callback: Callback | None = None,
) -> Tensor:
    """Minimise ``|A x - y|^2 / 2 + sum_i f_i(K_i x)`` with one gram and one of each K_i an iteration.

    The misfit is one more dual term. Its dual variable q has the size of the samples but is only ever seen through
    ``A^H q``, which obeys the same update: that is what is kept.

    Parameters
    ----------
    gram
        ``x -> A^H A x``.
    rhs
        ``A^H y``.
    penalties, weights
        the f_i with their K_i, and for each the dual step w_i > 0: it sets the pace, not the result.
    x0
        start.
    data_weight
        dual step of the misfit, > 0.
    step
        primal step, at most 1 / the largest eigenvalue of ``data_weight A^H A + sum w_i K_i^H K_i``; found by a power
        iteration of up to 30 grams when None.
    relaxation
        above 0 and below 2; 1.5 to 1.9 usually saves a third of the iterations.
    iterations
        the most to do.
    tolerance
        stop when x changes by less than this part of its norm in an iteration.
    energy
        ``|y|^2``, so that the objective reported is the function above rather than it less a constant.
    callback
        called after each iteration with the objective at x, which need not fall every time; ``residual`` is the
        relative change of x.

    Returns
    -------
    Tensor
        the last x.

    Raises
    ------
    ValueError
        If a step or the relaxation is out of range, the numbers of penalties and weights differ, or values stop being
        finite (the step may be too long).
    """
    if len(penalties) != len(weights) or not all(weight > 0 for weight in weights):
        raise ValueError(f"Each of the {len(penalties)} penalties needs a weight > 0, not {list(weights)}.")
    if not data_weight > 0 or not 0 < relaxation < 2 or iterations < 0 or tolerance < 0:
        raise ValueError(
            f"data_weight ({data_weight}) must be positive, relaxation ({relaxation}) between 0 and 2, "
            f"iterations ({iterations}) and tolerance ({tolerance}) not negative."
        )
    pairs = list(zip(penalties, weights, strict=True))
    if step is None:
        step = _longest_step(gram, pairs, data_weight, x0)
    if not step > 0:
        raise ValueError(f"step ({step}) must be positive.")

    x, gram_x = x0, gram(x0)
    # one dual step from zero: with zeros x would rest in the first iteration
    duals = [conjugate_prox(penalty.prox, weight * penalty.forward(x0), weight) for penalty, weight in pairs]
    data_dual = data_weight / (1 + data_weight) * (gram_x - rhs)
    for iteration in range(1, iterations + 1):
        pull = data_dual
        for penalty, dual in zip(penalties, duals, strict=True):
            pull = pull + penalty.adjoint(dual)
        better = x - step * pull
        gram_better = gram(better)
        ahead, gram_ahead = 2 * better - x, 2 * gram_better - gram_x
        data_better = (data_dual + data_weight * (gram_ahead - rhs)) / (1 + data_weight)
        data_dual = data_dual + relaxation * (data_better - data_dual)
        for i, (penalty, weight) in enumerate(pairs):
            moved = conjugate_prox(penalty.prox, duals[i] + weight * penalty.forward(ahead), weight)
            duals[i] = duals[i] + relaxation * (moved - duals[i])
        before = x
        x = x + relaxation * (better - x)
        gram_x = gram_x + relaxation * (gram_better - gram_x)
        norm, change = (float(torch.linalg.vector_norm(t)) for t in (x, x - before))
        if not (math.isfinite(norm) and math.isfinite(change)):
            raise ValueError(
                f"The primal-dual method met numbers that are not finite in iteration {iteration}: "
                "the step may be too long."
            )
        change /= max(norm, 1e-30)
        if callback is not None:
            misfit = float((x.conj() * (gram_x / 2 - rhs)).real.sum(dtype=torch.float64)) + energy / 2
            objective = misfit + sum(penalty.value(penalty.forward(x)) for penalty in penalties)
            if callback(Status(iteration, change, objective, x)) is False:
                break
        if change < tolerance:
            break
    return x


def _longest_step(gram: Linear, pairs: Sequence[tuple[Penalty, float]], data_weight: float, like: Tensor) -> float:
    def combined(x: Tensor) -> Tensor:
        result = data_weight * gram(x)
        for penalty, weight in pairs:
            result = result + weight * penalty.adjoint(penalty.forward(x))
        return result

    largest = largest_eigenvalue(combined, like)
    return 1 / (MARGIN * largest) if largest > 0 else 1.0
