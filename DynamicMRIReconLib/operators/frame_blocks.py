"""Operators on few frames each, joined to one on all of them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


class FrameBlocks(LinearOperator):
    """Block-diagonal over frames: what is between the parts of one block (coil images) exists for that block only.

    Parameters
    ----------
    blocks
        operators whose domain and range begin with a fixed number of frames, in the order of the frames.
    """

    def __init__(self, blocks: list[LinearOperator]) -> None:
        self.blocks = blocks
        self.domain_shape: Shape = (self._frames("domain_shape"), *blocks[0].domain_shape[1:])
        self.range_shape: Shape = (self._frames("range_shape"), *blocks[0].range_shape[1:])

    def _frames(self, side: str) -> int:
        sizes = [getattr(block, side)[0] for block in self.blocks]
        if not all(isinstance(size, int) for size in sizes):
            raise ValueError(f"FrameBlocks takes operators on a fixed number of frames, not {sizes}.")
        return sum(sizes)

    def _forward(self, x: Tensor) -> Tensor:
        return self._each(x, "domain_shape", lambda block: block.forward)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._each(y, "range_shape", lambda block: block.adjoint)

    def _gram(self, x: Tensor) -> Tensor:
        return self._each(x, "domain_shape", lambda block: block.gram)

    def _each(self, x: Tensor, side: str, pick: Callable[[LinearOperator], Callable[[Tensor], Tensor]]) -> Tensor:
        sizes = [getattr(block, side)[0] for block in self.blocks]
        parts = zip(self.blocks, x.split(sizes), strict=True)
        return torch.cat([pick(block)(part) for block, part in parts])
