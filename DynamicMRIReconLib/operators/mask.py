"""Which points of a Cartesian grid were measured."""

from __future__ import annotations

from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


class MaskOperator(LinearOperator):
    """(frames, coils, z, ky, kx) -> the same, zero where nothing was measured. A projection: its own adjoint and gram.

    Parameters
    ----------
    mask
        (frames, z, ky, kx) bool, shared by all coils.
    """

    def __init__(self, mask: Tensor) -> None:
        if mask.ndim != 4:
            raise ValueError(f"MaskOperator takes a mask (frames, z, ky, kx), not {tuple(mask.shape)}.")
        self.mask = mask.bool()
        self.domain_shape: Shape = (mask.shape[0], None, *mask.shape[1:])
        self.range_shape: Shape = self.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return x * self.mask[:, None]

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def _gram(self, x: Tensor) -> Tensor:
        return self._forward(x)
