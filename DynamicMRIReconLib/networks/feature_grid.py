"""A volume as a function of position from dense grids of features, from coarse to fine, and a small network.

Dense grids keep the whole of their box; a hash table would be smaller where most of the box is empty, and slower where
it is not. After the idea of T. Mueller et al., ACM Trans. Graph. 41 (2022) 102, doi:10.1145/3528223.3530127.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class FeatureGrid(nn.Module):
    """(n, 3) positions -> (n, levels * features): trilinear values of each level's grid, border values outside.

    Parameters
    ----------
    extent
        Half sizes of the box along x, y, z, in the units of the positions, whose zero is the box's middle.
    spacings
        Distance of grid points in each level, same units.
    features
        Numbers kept at each point.
    shapes
        Further levels, by their numbers of points (z, y, x); the outermost lie at the ends of the box.
    """

    def __init__(
        self,
        extent: Sequence[float],
        spacings: Sequence[float],
        *,
        features: int = 4,
        shapes: Sequence[tuple[int, int, int]] = (),
        spread: float = 1e-2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("extent", torch.tensor(extent, dtype=torch.float32))
        self.levels = nn.ParameterList()
        made = [[max(2, math.ceil(2 * half / spacing) + 1) for half in reversed(list(extent))] for spacing in spacings]
        for sizes in [*made, *shapes]:
            values = spread * torch.randn(1, features, *sizes, generator=generator)
            # the features of a point side by side: a look-up then touches eight places and not eight a feature
            self.levels.append(nn.Parameter(values.contiguous(memory_format=torch.channels_last_3d)))

    @property
    def width(self) -> int:
        """Numbers that a position is turned into."""
        return sum(level.shape[1] for level in self.levels)

    def forward(self, points: Tensor) -> Tensor:
        """Look up."""
        # clamped here and not by grid_sample, whose border mode some devices lack
        at = (points / self.extent).clamp(-1, 1).reshape(1, 1, 1, -1, 3)  # type: ignore[operator]
        found = [functional.grid_sample(level, at, align_corners=True)[0, :, 0, 0] for level in self.levels]
        return torch.cat(found).T


class FeatureGridNetwork(nn.Module):
    """(n, 3) positions -> (n,) intensities: a start volume that is learned on, and what a small network adds to it.

    Parameters
    ----------
    extent, spacings, features
        As of ``FeatureGrid``.
    width, layers
        Of the hidden layers, and how many.
    base_shape
        Points (z, y, x) of the start volume. It is zero until ``load_base``; the network's last layer starts at
        zero as well, so that the function is the start volume before the first step.
    """

    def __init__(
        self,
        extent: Sequence[float],
        spacings: Sequence[float],
        *,
        base_shape: tuple[int, int, int],
        features: int = 4,
        width: int = 32,
        layers: int = 2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.base = FeatureGrid(extent, [], features=1, shapes=[base_shape], spread=0.0)
        self.grid = FeatureGrid(extent, spacings, features=features, generator=generator)
        sizes = [self.grid.width, *[width] * layers]
        blocks: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            blocks += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.network = nn.Sequential(*blocks)
        self.head = nn.Linear(width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def load_base(self, values: Tensor) -> None:
        """Set the start volume, (z, y, x); its outermost voxels lie at the ends of the box."""
        with torch.no_grad():
            self.base.levels[0].copy_(values[None, None])

    def forward(self, points: Tensor) -> Tensor:
        """Intensities."""
        # in half precision only what the network adds; the base keeps its eight digits
        return self.base(points)[:, 0] + self.head(self.network(self.grid(points)))[:, 0].float()
