"""NUFFT back end in plain torch: torchkbnufft, for devices without finufft.

M. J. Muckley et al., ISMRM Workshop on Data Sampling & Image Reconstruction, 2020; J. A. Fessler and B. P. Sutton,
IEEE Trans. Signal Process. 51 (2003) 560-574, doi:10.1109/TSP.2002.807005.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

#: table steps a grid cell; the nearest entry is taken, so that the error falls as one over it
TABLE_OVERSAMPLING = 2**14


class TorchkbnufftBackend:
    """See ``nufft.Backend``. One frame a call: with one trajectory for each frame the library's forks abort at exit."""

    def __init__(self, image_shape: tuple[int, ...], device: torch.device) -> None:
        with warnings.catch_warnings():
            # torchkbnufft compiles its loops by torch.jit.script when imported, which torch 2.10 and newer deprecate
            warnings.filterwarnings("ignore", message=r"`torch\.jit\..*deprecated", category=DeprecationWarning)
            from torchkbnufft import KbNufft, KbNufftAdjoint

        # a grid of twice the size needs at least the kernel's width, which the smallest images lack
        grid = tuple(max(2 * size, 12) for size in image_shape)
        options = {"im_size": image_shape, "grid_size": grid, "table_oversamp": TABLE_OVERSAMPLING, "device": device}
        self._modules = {
            dtype: (KbNufft(dtype=dtype, **options), KbNufftAdjoint(dtype=dtype, **options))
            for dtype in (torch.complex64,)
        }

    def forward(self, points: Tensor, image: Tensor) -> Tensor:
        """Interpolation from the twice oversampled grid."""
        samples: Tensor = self._modules[image.dtype][0](image[None], points)
        return samples[0]

    def adjoint(self, points: Tensor, samples: Tensor) -> Tensor:
        """Gridding onto the twice oversampled grid."""
        image: Tensor = self._modules[samples.dtype][1](samples[None], points)
        return image[0]
