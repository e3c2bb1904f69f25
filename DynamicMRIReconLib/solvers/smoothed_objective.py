"""Least squares plus sums of magnitudes made smooth: what nonlinear conjugate gradients minimise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator


class SmoothedObjective:
    """``scale * (|A x - y|^2 / 2 + sum_i w_i sum sqrt(|K_i x|^2 + smoothing))`` for ``nonlinear_cg``.

    Pass ``value``, ``gradient`` and ``images`` to it: then an iteration costs one gram and one of each K_i, whatever
    the line search does. M. Lustig, D. Donoho, J. M. Pauly, Magn. Reson. Med. 58 (2007) 1182-1195,
    doi:10.1002/mrm.21391, appendix.

    Parameters
    ----------
    gram, rhs
        ``x -> A^H A x`` and ``A^H y``.
    terms
        the K_i, each with its weight w_i >= 0.
    energy
        ``|y|^2``.
    smoothing
        added under the square root (> 0): magnitudes below its root are taken quadratically.
    scale
        of the whole function. It does not move the minimum but is felt by the line search and the stopping rule, which
        are not relative: 2 gives the ``|A x - y|^2 + lambda |D x|`` of GRASP with lambda = 2 w.

    Raises
    ------
    ValueError
        If a weight is negative, or ``smoothing`` or ``scale`` not positive.
    """

    def __init__(
        self,
        gram: Callable[[Tensor], Tensor],
        rhs: Tensor,
        terms: Sequence[tuple[LinearOperator, float]],
        *,
        energy: float = 0.0,
        smoothing: float = 1e-15,
        scale: float = 1.0,
    ) -> None:
        if not smoothing > 0 or not scale > 0 or not all(weight >= 0 for _, weight in terms):
            raise ValueError(
                f"smoothing ({smoothing}) and scale ({scale}) must be positive, weights "
                f"({', '.join(str(weight) for _, weight in terms)}) not negative."
            )
        self._gram, self._rhs, self._energy = gram, rhs, energy
        self._operators = [operator for operator, _ in terms]
        self._weights = [weight for _, weight in terms]
        self._smoothing, self._scale = smoothing, scale

    def images(self, x: Tensor) -> tuple[Tensor, ...]:
        """x, its gram, and K_i x for each term."""
        return (x, self._gram(x), *(operator.forward(x) for operator in self._operators))

    def value(self, x: Tensor, gram_x: Tensor, *features: Tensor) -> float:
        """The function, from what ``images`` gives; summed in double precision, for the line search compares values."""
        misfit = (x.conj() * (gram_x / 2 - self._rhs)).real.sum(dtype=torch.float64) + self._energy / 2
        magnitudes = sum(
            weight * self._magnitude(feature).sum(dtype=torch.float64)
            for weight, feature in zip(self._weights, features, strict=True)
        )
        return self._scale * float(misfit + magnitudes)

    def gradient(self, x: Tensor, gram_x: Tensor, *features: Tensor) -> Tensor:
        """Its gradient, from what ``images`` gives."""
        result = gram_x - self._rhs
        for operator, weight, feature in zip(self._operators, self._weights, features, strict=True):
            result = result + weight * operator.adjoint(feature / self._magnitude(feature))
        return self._scale * result

    def _magnitude(self, feature: Tensor) -> Tensor:
        return (feature.abs().square() + self._smoothing).sqrt()
