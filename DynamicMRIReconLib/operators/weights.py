"""Real weights of the samples, for example density compensation."""

from __future__ import annotations

from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


class WeightsOperator(LinearOperator):
    """(frames, coils, shots, readout) times real weights (frames, shots, readout): diagonal and self-adjoint."""

    def __init__(self, weights: Tensor) -> None:
        if weights.ndim != 3 or weights.is_complex():
            raise ValueError(
                f"WeightsOperator takes real weights (frames, shots, readout), not {weights.dtype} "
                f"{tuple(weights.shape)}."
            )
        self.weights = weights
        self.domain_shape: Shape = (weights.shape[0], None, *weights.shape[1:])
        self.range_shape: Shape = self.domain_shape

    def _forward(self, x: Tensor) -> Tensor:
        return x * self.weights[:, None]

    def _adjoint(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def _gram(self, x: Tensor) -> Tensor:
        return x * self.weights[:, None].square()
