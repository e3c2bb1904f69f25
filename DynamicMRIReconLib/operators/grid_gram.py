"""The gram of Cartesian sampling as the circular convolution that it is."""

from __future__ import annotations

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape
from DynamicMRIReconLib.operators.coils import CoilOperator


class GridGram(LinearOperator):
    """``F^H M F`` for coil images (frames, coils, z, y, x), the same numbers as mask and Fourier operator give.

    A circular convolution does not care where the origin is, so nothing is shifted; and along an axis on which whole
    lines were measured it does nothing, so that axis is not transformed.

    Parameters
    ----------
    mask
        (frames, z, ky, kx) bool, centred, shared by all coils.
    """

    def __init__(self, mask: Tensor) -> None:
        centred = mask.bool()
        self.axes: tuple[int, ...] = ()
        for axis in (-2, -1):
            first = centred.narrow(axis, 0, 1)
            if bool((centred == first).all()):
                centred = first
            else:
                self.axes = (*self.axes, axis)
        kept = torch.fft.ifftshift(centred, dim=self.axes) if self.axes else centred
        self._kept = kept[:, None].float()
        self.domain_shape: Shape = (mask.shape[0], None, *mask.shape[1:])
        self.range_shape: Shape = self.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        if not self.axes:
            return x * self._kept
        return torch.fft.ifftn(torch.fft.fftn(x, dim=self.axes).mul_(self._kept), dim=self.axes)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)


class CoilGridGram(LinearOperator):
    """``S^H F^H M F S`` for series (frames, z, y, x), S the coil sensitivities. Self-adjoint.

    Where only y is transformed the series is turned on its side first: an FFT along the axis that is contiguous in
    memory takes less than half the time, and turning the series costs far less than turning its coil images.

    Parameters
    ----------
    mask
        (frames, z, ky, kx) bool, centred.
    maps
        (coils, z, y, x) complex coil sensitivity maps.
    """

    def __init__(self, mask: Tensor, maps: Tensor) -> None:
        grid = GridGram(mask)
        self._turned = grid.axes == (-2,)
        self._grid = GridGram(mask.mT) if self._turned else grid
        self._coils = CoilOperator(maps.mT.contiguous() if self._turned else maps)
        self.domain_shape: Shape = tuple(mask.shape)
        self.range_shape: Shape = self.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        x = x.mT.contiguous() if self._turned else x
        image = self._coils.adjoint(self._grid.forward(self._coils.forward(x)))
        return image.mT.contiguous() if self._turned else image

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)
