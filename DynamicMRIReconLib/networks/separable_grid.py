"""Sums of coarse and fine grids, evaluated on whole frames axis by axis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

#: nodes along time, y and x
Nodes = tuple[int, int, int]


class SeparableGrid(nn.Module):
    """``channels`` numbers at every voxel of every frame: the sum of coarse and fine grids, each linear in between.

    A multiresolution encoding whose levels are all dense and simply added. Since frames are asked for as a whole, each
    level is spread by one small matrix an axis instead of eight look-ups a voxel.

    Parameters
    ----------
    channels
        numbers at a voxel.
    levels
        nodes of each level, at least 1 along each axis; an axis with as many nodes as there are frames or voxels has
        them there, any other has its first and last node at the outer faces of the first and last voxel.
    shape
        (frames, y, x).
    """

    def __init__(self, channels: int, levels: Sequence[Nodes], shape: Nodes) -> None:
        super().__init__()
        if not levels or min(min(nodes) for nodes in levels) < 1:
            raise ValueError(f"A separable grid has levels of at least one node along each axis, not {list(levels)}.")
        self.channels, self.shape, self.nodes = channels, shape, [tuple(nodes) for nodes in levels]
        self.levels = nn.ParameterList(nn.Parameter(torch.zeros(channels, *nodes)) for nodes in levels)

    def forward(self, frame_numbers: Tensor) -> Tensor:
        """(channels, frames, y, x) at ``frame_numbers`` (frames,), 0 the first frame; outside, the nearest holds."""
        total: Tensor | None = None
        for (nt, ny, nx), level in zip(self.nodes, self.levels, strict=True):
            values = level
            if nt > 1:
                values = torch.einsum("tn,cnyx->ctyx", _matrix(frame_numbers, self.shape[0], nt), values)
            for axis, size, nodes in ((-2, self.shape[1], ny), (-1, self.shape[2], nx)):
                if nodes != size:
                    numbers = torch.arange(size, device=level.device, dtype=level.dtype)
                    values = _along(_matrix(numbers, size, nodes), values, axis)
            total = values if total is None else total + values
        assert total is not None
        return total.expand(self.channels, len(frame_numbers), *self.shape[1:])


def _along(matrix: Tensor, values: Tensor, axis: int) -> Tensor:
    return matrix @ values if axis == -2 else values @ matrix.T


def _matrix(numbers: Tensor, size: int, nodes: int) -> Tensor:
    """(len(numbers), nodes) linear interpolation at the fractional positions ``numbers`` of ``size`` voxels."""
    place = numbers if nodes == size else (numbers + 0.5) / size * (nodes - 1)
    place = place.clamp(0, nodes - 1)
    distance = place[:, None] - torch.arange(nodes, device=numbers.device, dtype=numbers.dtype)
    return (1 - distance.abs()).clamp_min(0)
