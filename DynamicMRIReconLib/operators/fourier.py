"""The Fourier transform on the grid, and the one place that says which transform the project means.

**Convention.** Centred and orthonormal, everywhere:

``s(k) = sum_r m(r) exp(-2 pi i k.r / N) / sqrt(prod N)``, with ``r = index - N // 2`` and ``k`` in cycles per field of
view; on the grid also ``k = index - N // 2``. The zero frequency and the middle of the image sit at index ``N // 2``
for even and odd ``N``. Forward takes images to k-space. Because it is orthonormal, the adjoint is the inverse and white
noise keeps its standard deviation. ``nufft.py`` evaluates the same sum at any ``k``.
"""

from __future__ import annotations

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


def fftc(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Centred orthonormal Fourier transform of ``x`` over ``dims``: image to k-space."""
    shifted = torch.fft.ifftshift(x, dim=dims)
    return torch.fft.fftshift(torch.fft.fftn(shifted, dim=dims, norm="ortho"), dim=dims)


def ifftc(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Inverse of ``fftc``, which is also its adjoint: k-space to image."""
    shifted = torch.fft.ifftshift(x, dim=dims)
    return torch.fft.fftshift(torch.fft.ifftn(shifted, dim=dims, norm="ortho"), dim=dims)


def fft2c(x: Tensor) -> Tensor:
    """Centred orthonormal Fourier transform over the last two axes (..., y, x) -> (..., ky, kx)."""
    return fftc(x, (-2, -1))


def ifft2c(x: Tensor) -> Tensor:
    """Inverse and adjoint of ``fft2c``: (..., ky, kx) -> (..., y, x)."""
    return ifftc(x, (-2, -1))


class FourierOperator(LinearOperator):
    """``fftc`` over the last ``len(image_shape)`` axes of (..., [z,] y, x)."""

    def __init__(self, image_shape: tuple[int, ...]) -> None:
        self.dims = tuple(range(-len(image_shape), 0))
        self.domain_shape: Shape = (..., *image_shape)
        self.range_shape: Shape = (..., *image_shape)

    def _forward(self, x: Tensor) -> Tensor:
        return fftc(x, self.dims)

    def _adjoint(self, y: Tensor) -> Tensor:
        return ifftc(y, self.dims)

    def _gram(self, x: Tensor) -> Tensor:
        return x.clone()
