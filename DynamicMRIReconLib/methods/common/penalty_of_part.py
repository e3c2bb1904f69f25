"""A penalty of one of the series that a result is the sum of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class OfPart:
    """A penalty of one of several series stacked along a leading axis."""

    def __init__(self, penalty: Any, part: int, parts: int) -> None:
        self._penalty, self._part, self._parts = penalty, part, parts
        self.smoothness = penalty.smoothness

    def forward(self, x: Tensor) -> Tensor:
        """``K x[part]``."""
        result: Tensor = self._penalty.forward(x[self._part])
        return result

    def adjoint(self, z: Tensor) -> Tensor:
        """``K^H z`` in its place, zero elsewhere."""
        inside = self._penalty.adjoint(z)
        result = inside.new_zeros((self._parts, *inside.shape))
        result[self._part] = inside
        return result

    def gram(self, x: Tensor) -> Tensor:
        """``adjoint(forward(x))``."""
        result = torch.zeros_like(x)
        self.add_gram(x, 1.0, result)
        return result

    def add_gram(self, x: Tensor, weight: float, result: Tensor) -> None:
        """Add ``weight`` times the gram to ``result``; the other parts are not touched."""
        result[self._part].add_(self._penalty.gram(x[self._part]), alpha=weight)

    def prox(self, z: Tensor, step: float) -> Tensor:
        """The penalty's own."""
        result: Tensor = self._penalty.prox(z, step)
        return result

    def value(self, z: Tensor) -> float:
        """The penalty's own."""
        return float(self._penalty.value(z))
