"""What a regularised reconstruction ended at: its data misfit and its penalties, for reports and L-curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from DynamicMRIReconLib.methods.common.problem import Problem

#: parameters whose names end so are weights: the penalty is linear in each of them
WEIGHT = "regularization"

Penalties = Callable[["Problem", Any], Sequence[tuple[Any, float]]]


def figures_of(problem: Problem, parameters: Any, solution: Tensor, penalties: Penalties) -> dict[str, float]:
    """``misfit`` = ``|A x - y|^2 / 2``, ``penalty``, and for every weight ``penalty_per_<its name>`` at ``solution``.

    In the scaled units in which the series is about 1. ``solution`` is (frames, z, y, x) or (parts, frames, z, y, x).
    """
    whole = solution.sum(0) if solution.ndim > len(problem.shape) else solution

    def value(values: Any) -> float:
        return float(sum(penalty.value(penalty.forward(solution)) for penalty, _ in penalties(problem, values)))

    penalty = value(parameters)
    found = {"misfit": problem.misfit(whole), "penalty": penalty}
    weights = {name: getattr(parameters, name) for name in type(parameters).model_fields if name.endswith(WEIGHT)}
    for name, weight in weights.items():
        # linear in the weight: what doubling it adds is its whole share
        share = penalty if len(weights) == 1 else value(parameters.model_copy(update={name: 2 * weight})) - penalty
        found[f"penalty_per_{name}"] = share / weight
    return found
