"""NUFFT back end in plain torch: torchkbnufft, for devices without finufft.

M. J. Muckley et al., ISMRM Workshop on Data Sampling & Image Reconstruction, 2020; J. A. Fessler and B. P. Sutton,
IEEE Trans. Signal Process. 51 (2003) 560-574, doi:10.1109/TSP.2002.807005.
"""

from __future__ import annotations

import warnings
from functools import cache, lru_cache
from typing import Any

import torch
from torch import Tensor

#: table steps a grid cell; the nearest entry is taken, so that the error falls as one over it
TABLE_OVERSAMPLING = 2**14


@cache
def _import_modules() -> tuple[Any, Any]:
    with warnings.catch_warnings():
        # torchkbnufft compiles its loops by torch.jit.script when imported, which torch 2.10 and newer deprecate
        warnings.filterwarnings("ignore", message=r"`torch\.jit\..*deprecated", category=DeprecationWarning)
        from torchkbnufft import KbNufft, KbNufftAdjoint
    return KbNufft, KbNufftAdjoint


@lru_cache(maxsize=8)
def _modules(image_shape: tuple[int, ...], device: torch.device) -> tuple[Any, Any]:
    """The library's forward and adjoint, kept because their tables take longer to make than a frame to transform."""
    # a grid of twice the size needs at least the kernel's width, which the smallest images lack
    grid = tuple(max(2 * size, 12) for size in image_shape)
    forward, adjoint = (
        module(
            im_size=image_shape,
            grid_size=grid,
            table_oversamp=TABLE_OVERSAMPLING,
            dtype=torch.complex64,
            device=device,
        )
        for module in _import_modules()
    )
    return forward, adjoint


class TorchkbnufftBackend:
    """See ``nufft.Backend``. One frame a call: with one trajectory for each frame the library's forks abort at exit."""

    def __init__(self, image_shape: tuple[int, ...], device: torch.device) -> None:
        self._forward, self._adjoint = _modules(image_shape, device)

    def forward(self, points: Tensor, image: Tensor) -> Tensor:
        """Interpolation from the twice oversampled grid."""
        samples: Tensor = self._forward(image[None], points)
        return samples[0]

    def forward_into(self, points: Tensor, image: Tensor, out: Tensor) -> None:
        """``forward`` into ``out``."""
        out.copy_(self.forward(points, image))

    def adjoint_into(self, points: Tensor, samples: Tensor, out: Tensor) -> None:
        """``adjoint`` into ``out``."""
        out.copy_(self.adjoint(points, samples))

    def adjoint(self, points: Tensor, samples: Tensor) -> Tensor:
        """Gridding onto the twice oversampled grid."""
        image: Tensor = self._adjoint(samples[None], points)
        return image[0]
