"""What the regularised methods add to the data misfit, with the smoothness each asks of the preconditioner."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

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

#: which of z, y, x are moved by half a block in each of the grids whose proximal maps are averaged
OVERLAPS = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))


@dataclass(frozen=True)
class Smoothness:
    """``K^H K`` in the words of the preconditioner: parts of temporal and spatial differences and of the identity."""

    temporal: float = 0.0
    spatial: float = 0.0
    identity: float = 0.0


class TemporalTotalVariation:
    """``weight * sum |x[t + 1] - x[t]|``, the penalty of GRASP."""

    smoothness = Smoothness(temporal=1.0)

    def __init__(self, shape: SeriesShape, weight: float) -> None:
        self.weight = weight
        self._difference = FiniteDifferenceOperator(shape, (0,))

    def forward(self, x: Tensor) -> Tensor:
        """Differences between frames."""
        return self._difference.forward(x)

    def adjoint(self, z: Tensor) -> Tensor:
        """The adjoint of ``forward``."""
        return self._difference.adjoint(z)

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

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Vector soft threshold."""
        return vector_soft_threshold(z, step * self.weight)

    def value(self, z: Tensor) -> float:
        """Weighted sum of gradient lengths."""
        return self.weight * float(z.abs().square().sum(0).sqrt().sum())


class LocallyLowRank:
    """``weight * sum over blocks of the nuclear norm`` of the frames x voxels matrix of each spatial block.

    Blocks overlap by half: the proximal map is the mean of those of four grids half a block apart, all shifted at
    random anew each time, so that no seams stay (cycle spinning). The value reported is that of one unshifted grid.
    Blocks wrap around.

    J. D. Trzasko, A. Manduca, ISMRM 2011, 4371; T. Zhang, J. M. Pauly, I. R. Levesque, Magn. Reson. Med. 73 (2015)
    655-661, doi:10.1002/mrm.25161.
    """

    smoothness = Smoothness(identity=1.0)

    def __init__(self, shape: SeriesShape, weight: float, block: int, seed: int, *, volume: bool = False) -> None:
        self.weight = weight
        self._block = tuple(min(block, size) if axis or volume else 1 for axis, size in enumerate(shape[1:]))
        self._random = random.Random(seed)

    def forward(self, x: Tensor) -> Tensor:
        """The series itself."""
        return x

    def adjoint(self, z: Tensor) -> Tensor:
        """The series itself."""
        return z

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Singular value threshold of every block, averaged over four grids half a block apart, shifted at random."""
        first = tuple(self._random.randrange(size) for size in self._block)
        result = torch.zeros_like(z)
        for halves in OVERLAPS:
            shift = tuple(
                start + half * (size // 2) for start, half, size in zip(first, halves, self._block, strict=True)
            )
            blocks, padded = self._to_blocks(z.roll(shift, (1, 2, 3)))
            thresholded = singular_value_threshold(blocks, step * self.weight)
            one = self._from_blocks(thresholded, padded, tuple(z.shape))
            result += one.roll(tuple(-s for s in shift), (1, 2, 3))
        return result / len(OVERLAPS)

    def value(self, z: Tensor) -> float:
        """Weighted sum of the singular values of all blocks."""
        return self.weight * float(singular_values(self._to_blocks(z)[0]).sum())

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

    def prox(self, z: Tensor, step: float) -> Tensor:
        """Soft threshold."""
        return soft_threshold(z, step * self.weight)

    def value(self, z: Tensor) -> float:
        """Weighted sum of magnitudes."""
        return self.weight * float(z.abs().sum())


class OfPart:
    """A penalty of one of several series stacked along a leading axis."""

    def __init__(self, penalty: Any, part: int, parts: int) -> None:
        self._penalty, self._part, self._parts = penalty, part, parts
        self.smoothness = penalty.smoothness

    def forward(self, x: Tensor) -> Tensor:
        """``K x[part]``."""
        result: Tensor = self._penalty.forward(x[self._part])
        return result

    def adjoint(self, z: Tensor) -> Tensor:
        """``K^H z`` in its place, zero elsewhere."""
        inside = self._penalty.adjoint(z)
        result = inside.new_zeros((self._parts, *inside.shape))
        result[self._part] = inside
        return result

    def prox(self, z: Tensor, step: float) -> Tensor:
        """The penalty's own."""
        result: Tensor = self._penalty.prox(z, step)
        return result

    def value(self, z: Tensor) -> float:
        """The penalty's own."""
        return float(self._penalty.value(z))
