"""Proximal gradient method, plain (ISTA) or with momentum (FISTA, POGM), for least squares plus one proximable term."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from DynamicMRIReconLib.solvers.status import Callback, Status

Momentum = Literal["none", "fista", "pogm"]
Prox = Callable[[Tensor, float], Tensor]


def proximal_gradient(
    gram: Callable[[Tensor], Tensor],
    rhs: Tensor,
    prox: Prox,
    x0: Tensor,
    step: float,
    *,
    momentum: Momentum = "pogm",
    restart: bool = True,
    iterations: int = 50,
    tolerance: float = 0.0,
    value: Callable[[Tensor], float] | None = None,
    energy: float = 0.0,
    callback: Callback | None = None,
) -> Tensor:
    """Minimise ``|A x - y|^2 / 2 + f(x)``; one gram and one proximal map an iteration.

    The objective falls with every iteration without momentum, not always with it. Several unknowns, such as the
    low-rank and the sparse part of a series, go on a leading axis of x: ``gram`` and ``rhs`` then give the gradient for
    each of them and ``prox`` treats each with its own penalty.

    A. Beck, M. Teboulle, SIAM J. Imaging Sci. 2 (2009) 183-202, doi:10.1137/080716542 (ISTA, FISTA);
    D. Kim, J. A. Fessler, J. Optim. Theory Appl. 178 (2018) 240-263, doi:10.1007/s10957-018-1287-4 (POGM, restart);
    A. B. Taylor, J. M. Hendrickx, F. Glineur, SIAM J. Optim. 27 (2017) 1283-1313, doi:10.1137/16M108104X (POGM);
    B. O'Donoghue, E. Candes, Found. Comput. Math. 15 (2015) 715-732, doi:10.1007/s10208-013-9150-3 (restart).

    Parameters
    ----------
    gram, rhs
        ``x -> A^H A x`` and ``A^H y``.
    prox
        ``prox(z, t) = argmin_v t f(v) + |v - z|^2 / 2``.
    x0
        start.
    step
        at most 1 / the largest eigenvalue of the gram (``power_iteration.py``).
    momentum
        ``none``: ISTA, error 1 / iterations; ``fista``: 1 / iterations^2; ``pogm``: half the bound of FISTA, when all
        ``iterations`` are done.
    restart
        drop the momentum when it points uphill; keeps convergence fast near the minimum.
    iterations
        the most to do.
    tolerance
        stop when x changes by less than this part of its norm in an iteration.
    value
        f; without it the objective reported lacks f.
    energy
        ``|y|^2``, so that the objective reported is the function above rather than it less a constant.
    callback
        called after each iteration with the objective at x; ``residual`` is the relative change of x.

    Returns
    -------
    Tensor
        the last x, an output of ``prox``: exactly sparse or of low rank where f asks for it.

    Raises
    ------
    ValueError
        If a parameter is out of range, or values stop being finite (the step may be too long).
    """
    if not step > 0 or iterations < 0 or tolerance < 0:
        raise ValueError(f"step ({step}) must be positive, iterations ({iterations}), tolerance ({tolerance}) not < 0.")
    if momentum not in ("none", "fista", "pogm"):
        raise ValueError(f"There is no momentum {momentum!r}: use none, fista or pogm.")
    method: _Ista | _Fista | _Pogm = _Ista(prox, step)
    if momentum != "none":
        method = _Fista(prox, step, restart) if momentum == "fista" else _Pogm(prox, step, restart, x0)
    x, gram_x = x0, gram(x0)
    for iteration in range(1, iterations + 1):
        before = x
        x = method.advance(x, gram_x - rhs, last=iteration == iterations)
        norm, moved = (float(torch.linalg.vector_norm(t)) for t in (x, x - before))
        if not (math.isfinite(norm) and math.isfinite(moved)):
            raise ValueError(
                f"The proximal gradient method met numbers that are not finite in iteration {iteration}: "
                "the step may be too long."
            )
        change = moved / max(norm, 1e-30)
        done = change < tolerance
        # the gram of the last x is only needed for its objective
        if callback is not None or not (done or iteration == iterations):
            gram_x = gram(x)
        if callback is not None:
            misfit = float((x.conj() * (gram_x / 2 - rhs)).real.sum(dtype=torch.float64)) + energy / 2
            objective = misfit + (value(x) if value is not None else 0.0)
            if callback(Status(iteration, change, objective, x)) is False:
                break
        if done:
            break
    return x


class _Ista:
    """A gradient step and a proximal map from x."""

    def __init__(self, prox: Prox, step: float) -> None:
        self.prox, self.step = prox, step

    def advance(self, x: Tensor, slope: Tensor, last: bool) -> Tensor:
        """The next x from this one and the gradient of the misfit there."""
        return self.prox(x - self.step * slope, self.step)


class _Fista:
    """The same from x extrapolated along its last change, where the gradient is extrapolated likewise."""

    def __init__(self, prox: Prox, step: float, restart: bool) -> None:
        self.prox, self.step, self.restart = prox, step, restart
        self.theta, self.beta = 1.0, 0.0
        self.before: tuple[Tensor, Tensor] | None = None

    def advance(self, x: Tensor, slope: Tensor, last: bool) -> Tensor:
        """The next x from this one and the gradient of the misfit there."""
        x_before, slope_before = self.before or (x, slope)
        self.before = (x, slope)
        point = x + self.beta * (x - x_before)
        better = self.prox(point - self.step * (slope + self.beta * (slope - slope_before)), self.step)
        if self.restart and _inner(point - better, better - x) > 0:
            self.theta = 1.0
        theta = (1 + math.sqrt(1 + 4 * self.theta**2)) / 2
        self.beta, self.theta = (self.theta - 1) / theta, theta
        return better


class _Pogm:
    """The optimised method: w are plain gradient steps, z what the proximal maps take, gamma their lengths."""

    def __init__(self, prox: Prox, step: float, restart: bool, x0: Tensor) -> None:
        self.prox, self.step, self.restart = prox, step, restart
        self.theta, self.gamma = 1.0, step
        self.w, self.z, self.y = x0, x0, x0

    def advance(self, x: Tensor, slope: Tensor, last: bool) -> Tensor:
        """The next x from this one and the gradient of the misfit there."""
        theta = (1 + math.sqrt(1 + (8 if last else 4) * self.theta**2)) / 2
        beta, over = (self.theta - 1) / theta, self.theta / theta
        w = x - self.step * slope
        z = w + beta * (w - self.w) + over * (w - x) + (self.step / self.gamma) * beta * (self.z - x)
        gamma = self.step * (1 + beta + over)
        better = self.prox(z, gamma)
        # the slope of the whole function, with the subgradient of f that the proximal map has chosen
        whole = slope + (z - better) / gamma
        y = x - self.step * whole
        uphill = self.restart and _inner(whole, y - self.y) > 0
        self.w, self.z, self.y, self.gamma = w, z, y, gamma
        self.theta = 1.0 if uphill else theta
        return better


def _inner(a: Tensor, b: Tensor) -> float:
    return float((a.conj() * b).real.sum(dtype=torch.float64))
