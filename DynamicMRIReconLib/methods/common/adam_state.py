"""A network and its Adam as the state of a loop, to go on from in another run."""

from __future__ import annotations

import torch
from torch import nn

from DynamicMRIReconLib.solvers.keeping import State

_NETWORK, _ADAM = "network ", "adam "


def state_of(network: nn.Module, adam: torch.optim.Optimizer) -> State:
    """Weights, buffers, and the moments and number of steps of every parameter; not the rates."""
    state = {_NETWORK + name: tensor for name, tensor in network.state_dict().items()}
    for index, entries in adam.state_dict()["state"].items():
        state.update({f"{_ADAM}{index} {name}": tensor for name, tensor in entries.items()})
    return state


def restore(state: State, network: nn.Module, adam: torch.optim.Optimizer) -> None:
    """Put what ``state_of`` gave into a network and an optimiser that were made alike."""
    network.load_state_dict(below(_NETWORK, state))
    moments: dict[int, State] = {}
    for name, tensor in below(_ADAM, state).items():
        index, _, entry = name.partition(" ")
        # torch counts the steps on the CPU, wherever the parameters are
        moments.setdefault(int(index), {})[entry] = tensor.cpu() if entry == "step" else tensor
    adam.load_state_dict({"state": moments, "param_groups": adam.state_dict()["param_groups"]})


def below(prefix: str, state: State) -> State:
    """The entries whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
