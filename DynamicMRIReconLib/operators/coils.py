"""Coil sensitivities: one image seen by every coil."""

from __future__ import annotations

from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


class CoilOperator(LinearOperator):
    """(frames, z, y, x) -> (frames, coils, z, y, x): the image times each coil's sensitivity.

    Parameters
    ----------
    maps
        (coils, z, y, x) complex coil sensitivity maps, the same for all frames.
    """

    def __init__(self, maps: Tensor) -> None:
        if maps.ndim != 4:
            raise ValueError(f"CoilOperator takes maps (coils, z, y, x), not {tuple(maps.shape)}.")
        self.maps = maps
        # written out: a conjugate that is only marked costs every product twice its time
        self._conjugate = maps.conj().resolve_conj()
        self.domain_shape: Shape = (None, *maps.shape[1:])
        self.range_shape: Shape = (None, *maps.shape)

    def _forward(self, x: Tensor) -> Tensor:
        return x[:, None] * self.maps

    def _adjoint(self, y: Tensor) -> Tensor:
        return (self._conjugate * y).sum(1)

    def _gram(self, x: Tensor) -> Tensor:
        return x * self.power

    @property
    def power(self) -> Tensor:
        """(z, y, x) real: the sum of the squared magnitudes of the maps."""
        return self.maps.abs().square().sum(0)
