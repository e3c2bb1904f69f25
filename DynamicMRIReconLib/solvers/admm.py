"""Alternating direction method of multipliers for least squares plus several penalties.

S. Boyd et al., Found. Trends Mach. Learn. 3 (2011) 1-122, doi:10.1561/2200000016.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from DynamicMRIReconLib.solvers.keeping import NOTHING, Keep, State, listed, numbered
from DynamicMRIReconLib.solvers.status import Callback, Status

Linear = Callable[[Tensor], Tensor]


class Penalty(Protocol):
    """A function ``f(K x)`` with a linear K and an f whose proximal map is known.

    One with a faster way than ``adjoint(forward(x))`` to ``K^H K x`` may have it as ``gram(x)``.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``K x``."""

    def adjoint(self, z: Tensor) -> Tensor:
        """``K^H z``."""

    def prox(self, z: Tensor, step: float) -> Tensor:
        """``argmin_v step f(v) + |v - z|^2 / 2``."""

    def value(self, z: Tensor) -> float:
        """``f(z)``."""


def admm(
    gram: Linear,
    rhs: Tensor,
    penalties: Sequence[Penalty],
    weights: Sequence[float],
    *,
    x0: Tensor,
    coupling: Linear | None = None,
    preconditioner: Linear | None = None,
    iterations: int = 10,
    inner_iterations: int = 3,
    relaxation: float = 1.6,
    tolerance: float = 0.0,
    energy: float = 0.0,
    misfit: Callable[[Tensor], float] | None = None,
    callback: Callback | None = None,
    keep: Keep = NOTHING,
) -> Tensor:
    """Minimise ``|A x - y|^2 / 2 + sum_i f_i(K_i x)``.

    Every iteration solves ``(A^H A + sum w_i K_i^H K_i) x = ...`` by a few preconditioned conjugate gradient steps from
    the last x, then takes each penalty's proximal map. ``A^H A x`` is carried along, so that an iteration costs
    ``inner_iterations`` grams and no more.

    Parameters
    ----------
    gram
        ``x -> A^H A x``.
    rhs
        ``A^H y``.
    penalties, weights
        the f_i with their K_i, and for each the weight w_i > 0 of its constraint: it sets the pace, not the result.
    x0
        start.
    coupling
        ``x -> sum w_i K_i^H K_i x``, where there is a faster way than one penalty after the other.
    preconditioner
        approximate inverse of ``A^H A + sum w_i K_i^H K_i``, Hermitian positive definite; none when None.
    iterations, inner_iterations
        outer iterations, and conjugate gradient steps in each.
    relaxation
        1 to 1.8; over-relaxation of the constraints.
    tolerance
        stop when x changes by less than this part of its norm in an iteration.
    energy
        ``|y|^2``, so that the objective reported is the function above rather than it less a constant.
    misfit
        ``x -> |A x - y|^2 / 2`` for the objective reported. When None it is taken from gram, rhs and energy, which
        costs nothing but needs a gram that is exact: with a NUFFT it is too coarse to watch the last digits converge.
    callback
        called after each iteration with the objective at x; ``residual`` is the relative change of x.
    keep
        where the state is kept, to go on from in another run.

    Returns
    -------
    Tensor
        the last x.

    Raises
    ------
    ValueError
        If a weight is not positive, the numbers of penalties and weights differ, or values stop being finite.
    """
    if not penalties or len(penalties) != len(weights) or not all(weight > 0 for weight in weights):
        raise ValueError(f"Each of the {len(penalties)} penalties needs a weight > 0, not {list(weights)}.")
    pairs = list(zip(penalties, weights, strict=True))
    solve = preconditioner or (lambda r: r)

    def one_by_one(v: Tensor) -> Tensor:
        return _sum(weight * _gram(penalty, v) for penalty, weight in pairs)

    couple = coupling or one_by_one

    kept, done = keep.found(), 0
    if kept is None:
        x, gram_x = x0, gram(x0)
        split = [penalty.prox(penalty.forward(x), 1 / weight) for penalty, weight in pairs]
        dual = [torch.zeros_like(z) for z in split]
    else:
        x, gram_x, split, dual = kept["x"], kept["gram_x"], listed("split", kept), listed("dual", kept)
        done = int(kept["iteration"])

    def state() -> State:
        return {"x": x, "gram_x": gram_x, **numbered("split", split), **numbered("dual", dual)}

    for iteration in range(done + 1, iterations + 1):
        before = x
        target = rhs + _sum(
            weight * penalty.adjoint(z - u) for (penalty, weight), z, u in zip(pairs, split, dual, strict=True)
        )
        x, gram_x = improve(gram, couple, target, x, gram_x, solve, inner_iterations)
        for i, (penalty, weight) in enumerate(pairs):
            relaxed = relaxation * penalty.forward(x) + (1 - relaxation) * split[i]
            split[i] = penalty.prox(relaxed + dual[i], 1 / weight)
            dual[i] = dual[i] + relaxed - split[i]
        change = _norm(x - before) / max(_norm(x), 1e-30)
        if change != change:
            raise ValueError(f"ADMM met numbers that are not finite in iteration {iteration}.")
        if callback is not None:
            fit = _misfit(x, gram_x, rhs, energy) if misfit is None else misfit(x)
            objective = fit + sum(penalty.value(penalty.forward(x)) for penalty in penalties)
            if callback(Status(iteration, change, objective, x)) is False:
                break
        if change < tolerance:
            break
        keep.keep(iteration, state)
    return x


def improve(
    gram: Linear, coupling: Linear, target: Tensor, x: Tensor, gram_x: Tensor, solve: Linear, iterations: int
) -> tuple[Tensor, Tensor]:
    """Preconditioned conjugate gradient steps on ``(gram + coupling) x = target`` from ``x``, whose gram is ``gram_x``.

    Returns the better x and its gram.
    """
    residual = target - gram_x - coupling(x)
    direction = solve(residual)
    slope = _inner(residual, direction)
    for step_number in range(iterations):
        if slope <= 0:
            break
        gram_direction = gram(direction)
        image = gram_direction + coupling(direction)
        step = slope / _inner(direction, image)
        x = torch.add(x, direction, alpha=step)
        gram_x = torch.add(gram_x, gram_direction, alpha=step)
        if step_number == iterations - 1:
            break
        residual = torch.sub(residual, image, alpha=step)
        better = solve(residual)
        previous, slope = slope, _inner(residual, better)
        direction = torch.add(better, direction, alpha=slope / previous)
    return x, gram_x


def _gram(penalty: Penalty, x: Tensor) -> Tensor:
    own: Linear | None = getattr(penalty, "gram", None)
    return penalty.adjoint(penalty.forward(x)) if own is None else own(x)


def _misfit(x: Tensor, gram_x: Tensor, rhs: Tensor, energy: float) -> float:
    """``|A x - y|^2 / 2``, summed in double precision, for its terms nearly cancel."""
    return float((x.conj() * (gram_x / 2 - rhs)).real.sum(dtype=torch.float64)) + energy / 2


def _inner(a: Tensor, b: Tensor) -> float:
    return float(torch.vdot(a.flatten(), b.flatten()).real)


def _norm(x: Tensor) -> float:
    # as pairs of real numbers: torch takes the root of every complex magnitude first
    return float(torch.linalg.vector_norm(torch.view_as_real(x.resolve_conj()) if x.is_complex() else x))


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return functools.reduce(torch.add, terms)
