"""What a solver tells its callback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Status:
    """After one iteration.

    Attributes
    ----------
    iteration
        1 after the first.
    residual
        how far from solved, relative, 0 is solved; the solver says of what.
    objective
        value of the function that is minimised, summed over the batch.
    solution
        the current iterate itself: look, do not change.
    """

    iteration: int
    residual: float
    objective: float
    solution: Tensor


#: returning False stops the solver after this iteration
Callback = Callable[[Status], bool | None]
