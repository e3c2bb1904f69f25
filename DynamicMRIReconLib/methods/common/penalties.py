"""What the regularised methods add to the data misfit, with the smoothness each asks of the preconditioner."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
from DynamicMRIReconLib.solvers.prox import (
    singular_value_threshold,
    singular_values,
    soft_threshold,
    vector_soft_threshold,
)

SeriesShape = tuple[int, int, int, int]


@dataclass(frozen=True)
class Smoothness:
    """``K^H K`` in the words of the preconditioner: parts of temporal and spatial differences and of the identity.

    ``wrap`` is the part of the difference between the last frame and the first.
    """

    temporal: float = 0.0
    wrap: float = 0.0
    spatial: float = 0.0
    identity: float = 0.0


class TemporalTotalVariation:
    """``weight * sum |x[t + 1] - x[t]|``, the penalty of GRASP; ``cyclic``: the first frame follows the last."""

    def __init__(self, shape: SeriesShape, weight: float, *, cyclic: bool = False) -> None:
        self.weight = weight
        # two frames have one difference, however one goes round
        cyclic = cyclic and shape[0] > 2
        self.smoothness = Smoothness(temporal=1.0, wrap=float(cyclic))
        self._difference = FiniteDifferenceOperator(shape, (0,), periodic=cyclic)

    def forward(self, x: Tensor) -> Tensor:
        """Differences between frames."""
        return self._difference.forward(x)

    def adjoint(self, z: Tensor) -> Tensor:
        """The adjoint of ``forward``."""
        return self._difference.adjoint(z)

    def gram(self, x: Tensor) -> Tensor:
        """``adjoint(forward(x))``."""
        return self._difference.gram(x)

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Soft threshold."""
        return soft_threshold(z, step * self.weight)

    def value(self, z: Tensor) -> float:
        """Weighted sum of magnitudes."""
        return self.weight * float(z.abs().sum())


class TemporalMeanSparsity:
    """``weight * sum |zero temporal frequency of x|`` (orthonormal): what differences between frames do not see."""

    #: one of all temporal frequencies; any small part serves the preconditioner
    smoothness = Smoothness(identity=0.05)

    def __init__(self, shape: SeriesShape, weight: float) -> None:
        self.weight = weight
        self._frames = shape[0]

    def forward(self, x: Tensor) -> Tensor:
        """Sum over frames by the root of their number, (1, z, y, x)."""
        return x.sum(0, keepdim=True) / math.sqrt(self._frames)

    def adjoint(self, z: Tensor) -> Tensor:
        """The same share for each frame."""
        return (z / math.sqrt(self._frames)).expand(self._frames, *z.shape[1:])

    def gram(self, x: Tensor) -> Tensor:
        """``adjoint(forward(x))``."""
        return x.mean(0, keepdim=True).expand_as(x)

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Soft threshold."""
        return soft_threshold(z, step * self.weight)

    def value(self, z: Tensor) -> float:
        """Weighted sum of magnitudes."""
        return self.weight * float(z.abs().sum())


class SpatialTotalVariation:
    """``weight * sum over voxels of the length of the spatial gradient`` (isotropic), wrapping around."""

    smoothness = Smoothness(spatial=1.0)

    def __init__(self, shape: SeriesShape, weight: float, axes: tuple[int, ...] = (2, 3)) -> None:
        self.weight = weight
        self._difference = FiniteDifferenceOperator(shape, axes, periodic=True)

    def forward(self, x: Tensor) -> Tensor:
        """Spatial gradient, components first."""
        return self._difference.forward(x)

    def adjoint(self, z: Tensor) -> Tensor:
        """The adjoint of ``forward``."""
        return self._difference.adjoint(z)

    def gram(self, x: Tensor) -> Tensor:
        """``adjoint(forward(x))``."""
        return self._difference.gram(x)

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Vector soft threshold."""
        return vector_soft_threshold(z, step * self.weight)

    def value(self, z: Tensor) -> float:
        """Weighted sum of gradient lengths."""
        return self.weight * float(z.abs().square().sum(0).sqrt().sum())


class LocallyLowRank:
    """``weight * nuclear norm`` of the frames x voxels matrix of every spatial block, the mean over overlapping grids.

    The grids are shifted against each other by half a block along each axis, so that no seam of one is a seam of
    another; each has a copy of the series to itself, which keeps the proximal map exact. Blocks wrap around.
    ``mean_weight``: what the mean over time counts in the matrices. All frames together measure it well, and it is the
    largest part of every block: below 1 it is shrunk less than what changes.

    J. D. Trzasko, A. Manduca, ISMRM 2011, 4371; T. Zhang, J. M. Pauly, I. R. Levesque, Magn. Reson. Med. 73 (2015)
    655-661, doi:10.1002/mrm.25161.
    """

    def __init__(
        self, shape: SeriesShape, weight: float, block: int, *, volume: bool = False, mean_weight: float = 1.0
    ) -> None:
        self.weight, self._mean_weight = weight, mean_weight
        self._block = tuple(min(block, size) if axis or volume else 1 for axis, size in enumerate(shape[1:]))
        halves = [
            (0, size // 2) if 1 < size < whole else (0,) for size, whole in zip(self._block, shape[1:], strict=True)
        ]
        self._shifts = tuple(itertools.product(*halves))
        self.smoothness = Smoothness(identity=float(len(self._shifts)))

    @property
    def grids(self) -> int:
        """How many overlapping grids of blocks there are."""
        return len(self._shifts)

    def forward(self, x: Tensor) -> Tensor:
        """(grids, frames, z, y, x): a copy of the series for each grid, its mean over time weighted."""
        return _weigh_mean(x, self._mean_weight).expand(self.grids, *x.shape)

    def adjoint(self, z: Tensor) -> Tensor:
        """The sum of the copies, its mean over time weighted."""
        return _weigh_mean(z.sum(0), self._mean_weight)

    def gram(self, x: Tensor) -> Tensor:
        """``adjoint(forward(x))``."""
        return self.grids * _weigh_mean(x, self._mean_weight**2)

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Singular value threshold of every block of each grid."""
        threshold = step * self.weight / self.grids
        return torch.stack([self._threshold(one, shift, threshold) for one, shift in zip(z, self._shifts, strict=True)])

    def value(self, z: Tensor) -> float:
        """Weighted sum of the singular values of all blocks, the mean over the grids."""
        sums = [
            float(singular_values(self._to_blocks(one.roll(shift, (1, 2, 3)))[0]).sum())
            for one, shift in zip(z, self._shifts, strict=True)
        ]
        return self.weight * sum(sums) / self.grids

    def _threshold(self, x: Tensor, shift: tuple[int, ...], threshold: float) -> Tensor:
        blocks, padded = self._to_blocks(x.roll(shift, (1, 2, 3)))
        result = self._from_blocks(singular_value_threshold(blocks, threshold), padded, tuple(x.shape))
        return result.roll(tuple(-size for size in shift), (1, 2, 3))

    def _to_blocks(self, x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """(blocks, frames, voxels of a block); sizes that blocks do not divide are continued periodically."""
        for axis, size in enumerate(self._block, start=1):
            extra = -x.shape[axis] % size
            if extra:
                x = torch.cat([x, x.narrow(axis, 0, extra)], axis)
        padded = tuple(x.shape)
        (bz, by, bx), (frames, z, y, xs) = self._block, padded
        grid = x.reshape(frames, z // bz, bz, y // by, by, xs // bx, bx).permute(1, 3, 5, 0, 2, 4, 6)
        return grid.reshape(-1, frames, math.prod(self._block)), padded

    def _from_blocks(self, blocks: Tensor, padded: tuple[int, ...], shape: tuple[int, ...]) -> Tensor:
        (bz, by, bx), (frames, z, y, xs) = self._block, padded
        grid = blocks.reshape(z // bz, y // by, xs // bx, frames, bz, by, bx).permute(3, 0, 4, 1, 5, 2, 6)
        return grid.reshape(padded)[:, : shape[1], : shape[2], : shape[3]]


def _weigh_mean(x: Tensor, weight: float) -> Tensor:
    return x if weight == 1 else x + (weight - 1) * x.mean(0, keepdim=True)


class LowRank:
    """``weight * nuclear norm`` of the whole series as one frames x voxels matrix."""

    smoothness = Smoothness(identity=1.0)

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        """The series itself."""
        return x

    def adjoint(self, z: Tensor) -> Tensor:
        """The series itself."""
        return z

    def gram(self, x: Tensor) -> Tensor:
        """``adjoint(forward(x))``."""
        return x

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Singular value threshold."""
        return singular_value_threshold(z.flatten(1), step * self.weight).reshape(z.shape)

    def value(self, z: Tensor) -> float:
        """Weighted sum of the singular values."""
        return self.weight * float(singular_values(z.flatten(1)).sum())


class TemporalFourierSparsity:
    """``weight * sum |temporal Fourier transform of x|`` (orthonormal)."""

    smoothness = Smoothness(identity=1.0)

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        """Temporal frequencies, the zero frequency first."""
        return torch.fft.fft(x, dim=0, norm="ortho")

    def adjoint(self, z: Tensor) -> Tensor:
        """Inverse of ``forward``."""
        return torch.fft.ifft(z, dim=0, norm="ortho")

    def gram(self, x: Tensor) -> Tensor:
        """``adjoint(forward(x))``."""
        return x

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Soft threshold."""
        return soft_threshold(z, step * self.weight)

    def value(self, z: Tensor) -> float:
        """Weighted sum of magnitudes."""
        return self.weight * float(z.abs().sum())
