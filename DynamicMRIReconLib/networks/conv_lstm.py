"""A stack of convolutional LSTM cells: memory that is an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: hidden state and memory of each cell
State = list[tuple[Tensor, Tensor]]


class ConvLSTMCell(nn.Module):
    """X. Shi et al. Convolutional LSTM network, NeurIPS 2015, without peepholes: one 3x3 convolution for all gates."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * features, 4 * features, 3, padding=1)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        """Hidden state and memory (B, features, y, x) after ``x`` of the same shape; None is a state of zeros."""
        hidden, memory = (torch.zeros_like(x), torch.zeros_like(x)) if state is None else state
        enter, forget, leave, new = self.gates(torch.cat([x, hidden], dim=1)).chunk(4, dim=1)
        memory = forget.sigmoid() * memory + enter.sigmoid() * new.tanh()
        return leave.sigmoid() * memory.tanh(), memory


class ConvLSTM(nn.Module):
    """``layers`` cells on top of each other."""

    def __init__(self, features: int, layers: int) -> None:
        super().__init__()
        self.cells = nn.ModuleList(ConvLSTMCell(features) for _ in range(layers))

    def forward(self, x: Tensor, states: State | None) -> tuple[Tensor, State]:
        """Hidden state of the last cell (B, features, y, x), and the states to go on with."""
        after: State = []
        for number, cell in enumerate(self.cells):
            x, memory = cell(x, None if states is None else states[number])
            after.append((x, memory))
        return x, after
