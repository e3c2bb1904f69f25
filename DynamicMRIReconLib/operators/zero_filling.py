"""A finer grid over the same field of view, by zeros around the k-space of a coarse one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator
from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c


class ZeroFilling(LinearOperator):
    """Images (..., y, x) -> (..., scale y, scale x), complex, by trigonometric interpolation.

    A coarse voxel covers ``scale`` x ``scale`` fine ones, so their middles lie (scale - 1) / 2 fine voxels after those
    of the first of them. Intensities stay; the adjoint divided by ``scale**2`` samples what a fine image has in the
    coarse grid's part of k-space. Of an even number of voxels the highest frequency is there with one sign only, as in
    measured k-space: real images become slightly complex.

    Raises
    ------
    ValueError
        If ``scale`` is less than 1.
    """

    def __init__(self, shape: tuple[int, int], scale: int) -> None:
        if scale < 1:
            raise ValueError(f"the scale must be 1 or more, not {scale}")
        self.scale = scale
        self.domain_shape = (..., *shape)
        self._fine = scale * shape[0], scale * shape[1]
        self.range_shape = (..., *self._fine)
        self._kept = tuple(slice(scale * side // 2 - side // 2, scale * side // 2 - side // 2 + side) for side in shape)
        rows, columns = (_shift(side, scale) for side in shape)
        self._shift = rows[:, None] * columns

    def _forward(self, x: Tensor) -> Tensor:
        kspace = fft2c(x) * self._shift.to(x)
        fine = kspace.new_zeros((*x.shape[:-2], *self._fine))
        fine[..., self._kept[0], self._kept[1]] = kspace
        return self.scale * ifft2c(fine)

    def _adjoint(self, y: Tensor) -> Tensor:
        kspace = fft2c(y)[..., self._kept[0], self._kept[1]]
        return self.scale * ifft2c(kspace * self._shift.conj().to(y))

    def _gram(self, x: Tensor) -> Tensor:
        return self.scale**2 * x


def _shift(side: int, scale: int) -> Tensor:
    """(side,) phase factors that move the coarse grid's middle from where the fine one's is."""
    moved = scale * (side // 2) + (scale - 1) / 2 - scale * side // 2
    frequencies = torch.arange(side, dtype=torch.float64) - side // 2
    return torch.exp(-2j * math.pi * moved / (scale * side) * frequencies)
