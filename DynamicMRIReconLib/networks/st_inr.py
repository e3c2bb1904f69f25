"""The neural representation of the paper: a hash-grid encoded network f(x, y, t) of a complex image series.

J. Feng et al., Spatiotemporal implicit neural representation for unsupervised dynamic MRI reconstruction, IEEE Trans.
Med. Imaging 44 (2025) 2143-2156, doi:10.1109/TMI.2025.3526452.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from DynamicMRIReconLib.networks.hash_grid import HashGrid

#: points that go through the network together: on a CPU few enough that what lies between its layers stays in the cache
POINTS_AT_ONCE, POINTS_AT_ONCE_CPU = 2**20, 2**15


class SpatioTemporalField(nn.Module):
    """f(x, y, t): hash grid, then a network without biases (as the paper's program has it) to real and imaginary part.

    A voxel is at ``(i + 0.5) / side`` along each axis, ``side`` the longer of the image's, and a frame likewise at
    ``(t + 0.5) / side``: a frame is as far from the next as a voxel is, so that all frames share a few cells of the
    coarse grids.

    Parameters
    ----------
    shape
        (frames, y, x).
    hidden_layers, hidden_width
        of the network.
    levels, features, table_size, base, growth
        of the ``HashGrid``.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        hidden_layers: int = 5,
        hidden_width: int = 64,
        levels: int = 16,
        features: int = 2,
        table_size: int = 2**19,
        base: int = 16,
        growth: float = 1.38,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.encoding = HashGrid(3, levels=levels, features=features, table_size=table_size, base=base, growth=growth)
        widths = [self.encoding.width, *[hidden_width] * hidden_layers]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after, bias=False), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Linear(widths[-1], 2, bias=False))
        #: what computes the network where gradients are wanted, if that is not the network itself
        self.layers: Callable[[Tensor], Tensor] | None = None

    def axes(self, frame_numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Coordinates x, y and t of all voxels at ``frame_numbers`` (fractions allowed)."""
        _, ny, nx = self.shape
        side = max(self.shape)
        places = (torch.arange(n, device=frame_numbers.device, dtype=torch.float32) for n in (nx, ny))
        x, y = ((place + 0.5) / side for place in places)
        return x, y, (frame_numbers.float() + 0.5) / side

    def forward(self, frame_numbers: Tensor) -> Tensor:
        """(frames, 1, y, x) complex images at ``frame_numbers`` (frames,), 0 the first measured frame."""
        features = self.encoding.lattice(self.axes(frame_numbers)).flatten(0, 2)
        layers = self.layers if self.layers and torch.is_grad_enabled() else self.network
        values = torch.cat([layers(part) for part in features.split(self._at_once())])
        return torch.view_as_complex(values.contiguous()).reshape(len(frame_numbers), 1, *self.shape[1:])

    def example(self) -> Tensor:
        """(points, features) as the network is given them, zero."""
        return torch.zeros(self._at_once(), self.encoding.width, device=next(self.parameters()).device)

    def _at_once(self) -> int:
        return POINTS_AT_ONCE_CPU if next(self.parameters()).device.type == "cpu" else POINTS_AT_ONCE
