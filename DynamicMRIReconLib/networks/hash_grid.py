"""Multiresolution hash encoding: features of a point, read from tables of ever finer grids.

T. Mueller, A. Evans, C. Schied, A. Keller, ACM Trans. Graph. 41 (2022) 102, doi:10.1145/3528223.3530127. Levels,
resolutions, the hash and the start of the tables follow that paper's program, tiny-cuda-nn, so that its settings mean
the same here; pure PyTorch, any device.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Sequence

import torch
from torch import Tensor, nn

#: one factor for each dimension; the first is 1 so that neighbours along the first axis stay neighbours in the table
PRIMES = (1, 2654435761, 805459861, 3674653429, 2097192037, 1434869437, 2165219737)
UINT32 = 0xFFFFFFFF
#: tables start as small uniform numbers
START = 1e-4


class HashGrid(nn.Module):
    """Points in the unit cube to ``levels * features`` numbers, linear between the nodes of each level's grid.

    Level l has ``resolutions[l]`` nodes along each axis. Where all nodes fit into ``table_size`` the table is the grid
    itself (dense); otherwise nodes share entries by a hash, and training sorts out the collisions.

    Parameters
    ----------
    dimensions
        of a point, 1 to 7.
    levels, features
        grids, and numbers at each node of each.
    table_size
        the most entries of a level, >= 1.
    base, growth
        the coarsest resolution, and the factor from level to level: level l has scale ``base * growth**l - 1`` and
        ``ceil(scale) + 1`` nodes.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    def __init__(
        self,
        dimensions: int,
        *,
        levels: int = 16,
        features: int = 2,
        table_size: int = 2**19,
        base: int = 16,
        growth: float = 1.38,
    ) -> None:
        super().__init__()
        if not 1 <= dimensions <= len(PRIMES):
            raise ValueError(f"A hash grid has 1 to {len(PRIMES)} dimensions, not {dimensions}.")
        if min(levels, features, table_size, base) < 1 or not growth >= 1:
            raise ValueError("Levels, features, table_size and base of a hash grid must be at least 1, and growth too.")
        self.dimensions, self.levels, self.features = dimensions, levels, features
        self.scales = [base * growth**level - 1 for level in range(levels)]
        self.resolutions = [math.ceil(scale) + 1 for scale in self.scales]
        nodes = [resolution**dimensions for resolution in self.resolutions]
        self.dense = [count <= table_size for count in nodes]
        #: levels that take part; the finer ones give zeros (coarse to fine)
        self.active_levels = levels
        self.tables = nn.ParameterList(
            nn.Parameter(torch.empty(min(_rounded(count), table_size), features).uniform_(-START, START))
            for count in nodes
        )

    @property
    def width(self) -> int:
        """Numbers that a point becomes."""
        return self.levels * self.features

    def forward(self, points: Tensor) -> Tensor:
        """(n, dimensions) in [0, 1] to (n, width), the coarsest level first."""
        if points.ndim != 2 or points.shape[1] != self.dimensions:
            raise ValueError(f"A hash grid takes points (n, {self.dimensions}), not {tuple(points.shape)}.")
        found = [self._level(level, points) for level in range(self.active_levels)]
        missing = self.width - self.active_levels * self.features
        return torch.cat([*found, points.new_zeros(len(points), missing)], dim=1)

    def lattice(self, axes: Sequence[Tensor]) -> Tensor:
        """The features of all points of a lattice: of ``forward``, with each node looked up once and not once a point.

        Parameters
        ----------
        axes
            ``dimensions`` one-dimensional tensors of coordinates in [0, 1].

        Returns
        -------
        (last axis, ..., first axis, width)
            The first axis runs fastest, as in the tables.

        Raises
        ------
        ValueError
            If there are more or fewer axes than dimensions.
        """
        if len(axes) != self.dimensions:
            raise ValueError(f"A hash grid of {self.dimensions} dimensions has no lattice of {len(axes)} axes.")
        found = [self._lattice_level(level, axes) for level in range(self.active_levels)]
        missing = self.width - self.active_levels * self.features
        return torch.cat([*found, found[0].new_zeros(*found[0].shape[:-1], missing)], dim=-1)

    def _lattice_level(self, level: int, axes: Sequence[Tensor]) -> Tensor:
        """Nodes around the lattice from the table, then linear interpolation along one axis after the other."""
        nodes, sides = [], []
        for axis in axes:
            place = axis * self.scales[level] + 0.5
            lower = place.floor()
            around = torch.stack([lower, lower + 1]).long()
            needed, position = around.unique(return_inverse=True)
            nodes.append(needed)
            sides.append((*position, place - lower))
        # axis k of the lattice is dimension -1 - k, before the features
        spread = [part[(slice(None),) + (None,) * index] for index, part in enumerate(nodes)]
        entries = self._entry(level, spread)
        values = self.tables[level].index_select(0, entries.flatten()).reshape(*entries.shape, self.features)
        for index in reversed(range(self.dimensions)):
            before, after, part = sides[index]
            dimension = self.dimensions - 1 - index
            share = part[(slice(None),) + (None,) * (index + 1)]
            low, high = values.index_select(dimension, before), values.index_select(dimension, after)
            values = low + (high - low) * share
        return values

    def _level(self, level: int, points: Tensor) -> Tensor:
        place = points * self.scales[level] + 0.5
        lower = place.floor()
        part = place - lower
        lower = lower.long()
        indices, weights = [], []
        for corner in itertools.product((0, 1), repeat=self.dimensions):
            offset = torch.tensor(corner, device=points.device)
            indices.append(self._entry(level, (lower + offset).unbind(1)))
            weights.append(torch.where(offset.bool(), part, 1 - part).prod(dim=1))
        # one look-up with weighted sum: half the time of gathering corner after corner on a CPU
        return nn.functional.embedding_bag(
            torch.stack(indices, dim=1), self.tables[level], per_sample_weights=torch.stack(weights, dim=1), mode="sum"
        )

    def _entry(self, level: int, nodes: Sequence[Tensor]) -> Tensor:
        """Integers, one tensor for each axis, to rows of the level's table; the tensors are broadcast."""
        resolution = self.resolutions[level]
        if self.dense[level]:
            strided = (part.clamp(0, resolution - 1) * resolution**axis for axis, part in enumerate(nodes))
            return functools.reduce(operator.add, strided)
        mixed = ((part * prime) & UINT32 for part, prime in zip(nodes, PRIMES, strict=False))
        return functools.reduce(operator.xor, mixed) % len(self.tables[level])


def _rounded(count: int) -> int:
    """Tables are multiples of 8 entries, as in the original; the last ones may stay unused."""
    return -(-count // 8) * 8
