"""How a method takes part in going on after its worker was killed: see ``Context.once`` and ``Context.loop``.

Nothing is kept by default. ``jobs.saved_state`` has the ``Keeper`` of a job folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Arrays = dict[str, NDArray[Any]]


class Keeper:
    """Where a run keeps its state; this one keeps nothing. Keys are paths: ``slice 2 of 5/admm``."""

    def found(self, key: str) -> Arrays | None:
        """What an earlier run kept under ``key``; None when there is nothing."""
        return None

    def finish(self, key: str, arrays: Arrays) -> None:
        """A part of the run is done. What was kept below its key is not needed any more."""

    def keep(self, key: str, at: str, arrays: Callable[[], Arrays]) -> None:
        """A loop has come as far as ``at``; ``arrays`` is called only when it is time to write."""

    def release(self, key: str) -> None:
        """Hold no arrays below ``key`` in memory any longer; what is on disk stays."""


KEEPS_NOTHING = Keeper()


@dataclass(frozen=True)
class Loop:
    """A loop of a running method, as solvers want it (``solvers.keeping.Keep``).

    Attributes
    ----------
    keeper, key, device
        where its state is kept, under which name, and where its tensors live.
    at
        what is said of the iteration that it goes on from, with ``{}`` for its number.
    """

    keeper: Keeper
    key: str
    device: str
    at: str

    def found(self) -> dict[str, Tensor] | None:
        """The state that an earlier run kept of it."""
        import torch

        arrays = self.keeper.found(self.key)
        if arrays is None:
            return None
        # generators of random numbers take their state from the main memory
        return {
            name: torch.from_numpy(array).to("cpu" if array.dtype == np.uint8 else self.device)
            for name, array in arrays.items()
        }

    def keep(self, iteration: int, state: Callable[[], dict[str, Tensor]]) -> None:
        """Offer the state after ``iteration`` iterations."""

        def arrays() -> Arrays:
            plain = {name: tensor.detach().resolve_conj().resolve_neg() for name, tensor in state().items()}
            kept = {name: tensor.cpu().numpy() for name, tensor in plain.items()}
            return {**kept, "iteration": np.array(iteration)}

        self.keeper.keep(self.key, self.at.format(iteration), arrays)
