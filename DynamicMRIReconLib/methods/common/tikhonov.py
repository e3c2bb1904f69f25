"""The volume that explains stacks best with the least gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
from DynamicMRIReconLib.operators.slice_profile import SliceProfileOperator
from DynamicMRIReconLib.solvers.cg import conjugate_gradient
from DynamicMRIReconLib.solvers.keeping import NOTHING, Keep
from DynamicMRIReconLib.solvers.status import Callback

#: voxels of a stack whose profile lies less than this within the volume are not explained by it
COVERED = 0.98


@dataclass(frozen=True)
class Term:
    """``w |A x - y|^2 / 2`` of one stack: operator, samples and weights (slices, rows, columns)."""

    operator: SliceProfileOperator
    samples: Tensor
    weights: Tensor

    @classmethod
    def covered(cls, operator: SliceProfileOperator, samples: Tensor, weights: Tensor) -> Term:
        """The term without the voxels that reach out of the volume."""
        ones = torch.ones(operator.domain_shape, dtype=samples.dtype, device=samples.device)  # type: ignore[arg-type]
        return cls(operator, samples, weights * (operator(ones) > COVERED))


def least_gradient(
    terms: Sequence[Term],
    regularization: float,
    *,
    x0: Tensor | None = None,
    iterations: int = 10,
    edge_weights: Tensor | None = None,
    callback: Callback | None = None,
    keep: Keep = NOTHING,
) -> Tensor:
    """Minimise ``sum_k w_k |A_k x - y_k|^2 / 2 + regularization sum v |D x|^2 / 2`` by conjugate gradients.

    D are the differences of neighbours along z, y and x; ``edge_weights`` v, of the shape of ``D x``, are 1 when None.
    ``keep`` is where the iteration keeps its state.
    """
    shape = tuple(terms[0].operator.domain_shape)
    difference = FiniteDifferenceOperator((1, *shape), (1, 2, 3))  # type: ignore[arg-type]

    def gram(x: Tensor) -> Tensor:
        gradient = difference.forward(x[None])
        if edge_weights is not None:
            gradient = edge_weights * gradient
        total = regularization * difference.adjoint(gradient)[0]
        for term in terms:
            total = total + term.operator.adjoint(term.weights * term.operator.forward(x))
        return total

    rhs = sum((term.operator.adjoint(term.weights * term.samples) for term in terms[1:]), start=_first(terms[0]))
    return conjugate_gradient(gram, rhs, x0=x0, iterations=iterations, independent_axes=0, callback=callback, keep=keep)


def _first(term: Term) -> Tensor:
    return term.operator.adjoint(term.weights * term.samples)
