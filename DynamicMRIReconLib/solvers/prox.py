"""Proximal maps: ``prox_t(z) = argmin_x t f(x) + |x - z|^2 / 2``, complex values throughout.

N. Parikh and S. Boyd, Proximal Algorithms, Found. Trends Optim. 1 (2014) 127-239, doi:10.1561/2400000003.
"""

from __future__ import annotations

import torch
from torch import Tensor


def soft_threshold(z: Tensor, threshold: float | Tensor) -> Tensor:
    """Of ``f = sum |z|``: magnitudes shrink by ``threshold`` (>= 0) to no less than zero, phases stay."""
    return z * _shrinkage(z.abs(), threshold)


def vector_soft_threshold(z: Tensor, threshold: float | Tensor, axis: int = 0) -> Tensor:
    """Of ``f = sum of Euclidean lengths along axis``: vectors shrink by ``threshold`` (>= 0), directions stay."""
    length = z.abs().square().sum(axis, keepdim=True).sqrt()
    return z * _shrinkage(length, threshold)


def singular_value_threshold(matrices: Tensor, threshold: float | Tensor) -> Tensor:
    """Of the nuclear norm, for each matrix (..., m, n): singular values shrink by ``threshold`` (>= 0).

    Through the eigenvectors of the smaller Gram matrix, several times faster than a singular value decomposition when
    one side is short (frames); singular values below about 3e-4 of the largest are inexact in single precision, far
    under any threshold of use.

    J.-F. Cai, E. J. Candes, Z. Shen, SIAM J. Optim. 20 (2010) 1956-1982, doi:10.1137/080738970.
    """
    if matrices.shape[-2] > matrices.shape[-1]:
        return singular_value_threshold(matrices.mH, threshold).mH
    squares, vectors = torch.linalg.eigh(matrices @ matrices.mH)
    kept = _shrinkage(squares.clamp_min(0).sqrt(), threshold)
    return vectors @ (kept.unsqueeze(-1) * (vectors.mH @ matrices))


def singular_values(matrices: Tensor) -> Tensor:
    """(..., m, n) -> (..., min(m, n)), ascending, as ``singular_value_threshold`` sees them."""
    if matrices.shape[-2] > matrices.shape[-1]:
        matrices = matrices.mH
    squares: Tensor = torch.linalg.eigvalsh(matrices @ matrices.mH)
    return squares.clamp_min(0).sqrt()


def _shrinkage(length: Tensor, threshold: float | Tensor) -> Tensor:
    """The factor by which something of this length shrinks; 0 where the length is 0."""
    tiny = torch.finfo(length.dtype).tiny
    return (length - threshold).clamp_min(0) / length.clamp_min(tiny)
