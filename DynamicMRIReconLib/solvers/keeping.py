"""What a long iteration keeps of itself, so that a run that was ended goes on from there with the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

#: everything that decides about the iterations to come, by name; numbers as tensors of one element
State = dict[str, Tensor]


class Keep(Protocol):
    """Where a loop keeps its state."""

    def found(self) -> State | None:
        """What an earlier run kept of this loop; ``iteration`` says how many iterations were done. None: nothing."""

    def keep(self, iteration: int, state: Callable[[], State]) -> None:
        """Offer the state after ``iteration`` iterations, when more are to come; most offers cost nothing."""


class KeepNothing:
    """For loops that nobody resumes."""

    def found(self) -> State | None:
        """Nothing."""
        return None

    def keep(self, iteration: int, state: Callable[[], State]) -> None:
        """Nothing."""


NOTHING = KeepNothing()


def number(value: float) -> Tensor:
    """A number as a tensor, exactly."""
    return torch.tensor(value, dtype=torch.float64)


def numbered(name: str, tensors: Sequence[Tensor]) -> State:
    """A list of tensors as ``name 0``, ``name 1``..."""
    return {f"{name} {index}": tensor for index, tensor in enumerate(tensors)}


def listed(name: str, state: State) -> list[Tensor]:
    """The list that ``numbered`` named."""
    found: list[Tensor] = []
    while (key := f"{name} {len(found)}") in state:
        found.append(state[key])
    return found
