"""The network of IREM: a volume as a function of position, 1,258,497 parameters.

Q. Wu et al., MICCAI 2021, LNCS 12906, 65-74, doi:10.1007/978-3-030-87231-1_7. Built from the paper's text, which leaves
the head open: here the last of the 18 layers is linear, without normalisation.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """(n, 3) -> (n, 2 L): ``[cos 2 pi B p, sin 2 pi B p]`` with B (L, 3) drawn once from N(0, sigma^2) and kept."""

    matrix: Tensor

    def __init__(self, count: int = 128, sigma: float = 1.0, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.register_buffer("matrix", sigma * torch.randn(count, 3, generator=generator))

    def forward(self, points: Tensor) -> Tensor:
        """Encode positions in [-1, 1]."""
        # a phase in half precision would be off by hundredths of a turn
        with torch.autocast(points.device.type, enabled=False):
            phase = 2 * math.pi * points.float() @ self.matrix.T
        return torch.cat([phase.cos(), phase.sin()], dim=1)


class IremNetwork(nn.Module):
    """(n, 3) positions in [-1, 1] -> (n,) intensities.

    Fully connected layers with batch normalisation and ReLU; the encoding joins the input of the 7th and the 13th.

    Parameters
    ----------
    features
        2 L, the length of the encoding.
    width, layers
        Of the hidden layers, and how many layers with the linear head.
    sigma
        Standard deviation of the frequencies in cycles per unit; larger shows more detail and more noise.
    """

    def __init__(
        self,
        *,
        features: int = 256,
        width: int = 256,
        layers: int = 18,
        sigma: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.encoding = FourierFeatures(features // 2, sigma, generator=generator)
        self.joins = (layers // 3, 2 * layers // 3)
        self.hidden = nn.ModuleList()
        for layer in range(layers - 1):
            inputs = features if layer == 0 else width + (features if layer in self.joins else 0)
            self.hidden.append(nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU()))
        self.head = nn.Linear(width, 1)

    def forward(self, points: Tensor) -> Tensor:
        """Intensities; in training mode batch statistics are used, so a batch needs two points at least."""
        encoded = self.encoding(points)
        x = encoded
        for layer, block in enumerate(self.hidden):
            x = block(torch.cat([x, encoded], dim=1) if layer in self.joins else x)
        found: Tensor = self.head(x)[:, 0]
        return found
