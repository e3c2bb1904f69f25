"""Operators on few frames each, joined to one on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


class FrameBlocks(LinearOperator):
    """Block-diagonal over frames: what is between the parts of one block (coil images) exists for that block only.

    Parameters
    ----------
    blocks
        operators whose domain and range begin with frames, in the order of the frames.
    frames
        how many frames each of them is given; when None, they must work on a fixed number.
    """

    def __init__(self, blocks: list[LinearOperator], frames: Sequence[int] | None = None) -> None:
        self.blocks = blocks
        sizes = [block.domain_shape[0] for block in blocks] if frames is None else frames
        self._sizes = [size for size in sizes if isinstance(size, int)]
        if len(self._sizes) < len(blocks):
            raise ValueError(f"FrameBlocks takes operators on a fixed number of frames, not {list(sizes)}.")
        self.domain_shape: Shape = (sum(self._sizes), *blocks[0].domain_shape[1:])
        self.range_shape: Shape = (sum(self._sizes), *blocks[0].range_shape[1:])

    def _forward(self, x: Tensor) -> Tensor:
        return self._each(x, lambda block: block.forward)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._each(y, lambda block: block.adjoint)

    def _gram(self, x: Tensor) -> Tensor:
        return self._each(x, lambda block: block.gram)

    def _each(self, x: Tensor, pick: Callable[[LinearOperator], Callable[[Tensor], Tensor]]) -> Tensor:
        parts = zip(self.blocks, x.split(self._sizes), strict=True)
        return torch.cat([pick(block)(part) for block, part in parts])
