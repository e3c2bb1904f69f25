"""Nonlinear conjugate gradients (Fletcher-Reeves) with a backtracking line search, as GRASP was published with.

L. Feng et al., Magn. Reson. Med. 72 (2014) 707-717, doi:10.1002/mrm.24980; M. Lustig, D. Donoho, J. M. Pauly, Magn.
Reson. Med. 58 (2007) 1182-1195, doi:10.1002/mrm.21391, appendix; R. Fletcher, C. M. Reeves, Comput. J. 7 (1964)
149-154, doi:10.1093/comjnl/7.2.149.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from DynamicMRIReconLib.solvers.keeping import NOTHING, Keep, State, listed, number, numbered
from DynamicMRIReconLib.solvers.status import Callback, Status

#: part of the decrease promised by the slope that a step must reach
SUFFICIENT_DECREASE = 0.01
#: what a step is multiplied by while it is too long
SHRINK = 0.6
#: shortenings after which the line search gives up
LINE_STEPS = 150


def _unchanged(x: Tensor) -> Sequence[Tensor]:
    return (x,)


def nonlinear_cg(
    objective: Callable[..., float],
    gradient: Callable[..., Tensor],
    x0: Tensor,
    *,
    images: Callable[[Tensor], Sequence[Tensor]] = _unchanged,
    iterations: int = 9,
    tolerance: float = 1e-3,
    first_step: float = 1.0,
    callback: Callback | None = None,
    keep: Keep = NOTHING,
) -> Tensor:
    """Minimise a smooth function of a real or complex tensor; its value falls with every iteration.

    The step is shortened by 0.6 until the function has fallen by 0.01 of what its slope promises; the step tried first
    shrinks by 0.6 after searches of more than two shortenings and grows by 1 / 0.6 after searches of none.

    Parameters
    ----------
    objective, gradient
        ``objective(*images(x))`` is f(x); ``gradient(*images(x))`` is the g for which
        ``f(x + d) = f(x) + Re <g, d> + ...``. Without ``images`` both are functions of x.
    x0
        start.
    images
        linear maps of x, x itself first, of which f is a function. They are computed once for every search direction
        and carried along the line, so that a line search, however long, costs no operator.
    iterations
        the most to do. The published program, set to 8, does 9.
    tolerance
        stop when the next direction is shorter than this (not relative, as published).
    first_step
        length tried first in the first line search, in units of the direction.
    callback
        called after each iteration; ``residual`` is the length of the gradient relative to that at the start.
    keep
        where the state is kept, to go on from in another run.

    Returns
    -------
    Tensor
        the last x. Also ends, at the point reached, when a line search finds no decrease in 150 shortenings, or none
        above rounding.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the function or its gradient is not finite at a point reached.
    """
    if iterations < 0 or tolerance < 0 or not first_step > 0:
        raise ValueError(
            f"iterations ({iterations}) and tolerance ({tolerance}) must not be negative, first_step ({first_step}) "
            "must be positive."
        )
    kept, done = keep.found(), 0
    if kept is None:
        point = tuple(images(x0))
        value, slope = objective(*point), gradient(*point)
        energy = start_energy = _checked(_squares(slope), value, 0)
        direction = -slope
    else:
        point, done = tuple(listed("image", kept)), int(kept["iteration"])
        slope, direction = kept["slope"], kept["direction"]
        value, energy, start_energy, first_step = (float(one) for one in kept["numbers"])

    def state() -> State:
        numbers = torch.stack([number(one) for one in (value, energy, start_energy, first_step)])
        return {**numbered("image", point), "slope": slope, "direction": direction, "numbers": numbers}

    for iteration in range(done + 1, iterations + 1):
        if energy == 0:
            break
        change = tuple(images(direction))
        promised = SUFFICIENT_DECREASE * abs(_inner(slope, direction))
        step, tries = first_step, 0
        while True:
            wanted = value - step * promised
            # a decrease lost in rounding is none
            if tries > LINE_STEPS or wanted == value:
                return point[0]
            reached = tuple(a + step * b for a, b in zip(point, change, strict=True))
            # asked this way round a value that is not a number is not taken either
            if (found := objective(*reached)) <= wanted:
                break
            step, tries = step * SHRINK, tries + 1
        if tries > 2:
            first_step *= SHRINK
        elif tries == 0:
            first_step /= SHRINK
        point, value = reached, found
        slope = gradient(*point)
        previous, energy = energy, _checked(_squares(slope), value, iteration)
        direction = -slope + (energy / previous) * direction
        if callback is not None:
            status = Status(iteration, math.sqrt(energy / start_energy), value, point[0])
            if callback(status) is False:
                break
        if math.sqrt(_squares(direction)) < tolerance:
            break
        keep.keep(iteration, state)
    return point[0]


def _checked(energy: float, value: float, iteration: int) -> float:
    if not (math.isfinite(energy) and math.isfinite(value)):
        raise ValueError(f"Nonlinear conjugate gradients met numbers that are not finite in iteration {iteration}.")
    return energy


def _inner(a: Tensor, b: Tensor) -> float:
    return float((a.conj() * b).real.sum(dtype=torch.float64))


def _squares(x: Tensor) -> float:
    return float(x.abs().square().sum(dtype=torch.float64))
