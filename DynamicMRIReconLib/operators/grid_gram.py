"""The gram of Cartesian sampling as the circular convolution that it is."""

from __future__ import annotations

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


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
        return torch.fft.ifftn(torch.fft.fftn(x, dim=self.axes) * self._kept, dim=self.axes)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)
