"""Small problems in double precision whose minima are known, and penalties to pose them with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from DynamicMRIReconLib.methods.common.penalties import TemporalTotalVariation
from DynamicMRIReconLib.operators.coils import CoilOperator
from DynamicMRIReconLib.operators.fourier import FourierOperator
from DynamicMRIReconLib.operators.mask import MaskOperator
from DynamicMRIReconLib.solvers.prox import soft_threshold


def noise(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Seeded complex128 white noise."""
    return torch.randn(shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def distance(actual: Tensor, expected: Tensor) -> float:
    """``|actual - expected| / |expected|``."""
    assert actual.shape == expected.shape
    return float((actual - expected).norm() / expected.norm())


@dataclass
class LeastSquares:
    """``|A x - y|^2 / 2``."""

    gram: Callable[[Tensor], Tensor]
    rhs: Tensor
    energy: float

    def value(self, x: Tensor) -> float:
        product = (x.conj() * (self.gram(x) / 2 - self.rhs)).real.sum()
        return float(product) + self.energy / 2


class Lasso:
    """``weight * sum |x|``."""

    def __init__(self, weight: float) -> None:
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        return x

    def adjoint(self, z: Tensor) -> Tensor:
        return z

    def prox(self, z: Tensor, step: float) -> Tensor:
        return soft_threshold(z, step * self.weight)

    def value(self, z: Tensor) -> float:
        return self.weight * float(z.abs().sum())


@dataclass
class KnownMinimum:
    """A problem with its minimiser."""

    misfit: LeastSquares
    penalty: Lasso | TemporalTotalVariation
    solution: Tensor
    largest_eigenvalue: float

    def value(self, x: Tensor) -> float:
        return self.misfit.value(x) + self.penalty.value(self.penalty.forward(x))


def dense(matrix: Tensor, data: Tensor) -> LeastSquares:
    """From an explicit matrix."""
    gram = matrix.mH @ matrix
    return LeastSquares(lambda x: gram @ x, matrix.mH @ data, float(data.norm()) ** 2)


def orthogonal_lasso(scale: float = 3.0, weight: float = 2.0) -> KnownMinimum:
    """A has orthogonal columns of length ``scale``: the minimum is a soft threshold of ``A^H y / scale^2``."""
    matrix = scale * torch.linalg.qr(noise((30, 20), 1))[0]
    misfit = dense(matrix, noise((30,), 2) * 2)
    return KnownMinimum(misfit, Lasso(weight), soft_threshold(misfit.rhs, weight) / scale**2, scale**2)


def diagonal_lasso() -> KnownMinimum:
    """A is diagonal with entries from 0.2 to 2: each unknown has a closed form of its own."""
    entries = torch.linspace(0.2, 2, 25, dtype=torch.float64)
    data, weight = noise((25,), 3) * 2, 0.3
    misfit = LeastSquares(lambda x: entries**2 * x, entries * data, float(data.norm()) ** 2)
    return KnownMinimum(misfit, Lasso(weight), soft_threshold(entries * data, weight) / entries**2, 4.0)


def step_denoising() -> KnownMinimum:
    """Total variation of a noiseless step over n + m frames: its halves approach by weight / n and weight / m."""
    low, high, weight = 3, 5, 0.9
    phase = complex(math.cos(0.7), math.sin(0.7))
    data = torch.cat([torch.zeros(low), torch.full((high,), 2.0)]).to(torch.complex128).reshape(-1, 1, 1, 1) * phase
    levels = torch.cat([torch.full((low,), weight / low), torch.full((high,), 2 - weight / high)])
    misfit = LeastSquares(lambda x: x, data, float(data.norm()) ** 2)
    penalty = TemporalTotalVariation((low + high, 1, 1, 1), weight)
    return KnownMinimum(misfit, penalty, levels.reshape(-1, 1, 1, 1) * phase, 1.0)


def three_frames() -> KnownMinimum:
    """Total variation of one peak over three frames, worked by hand: neighbours rise by w, the peak falls by 2 w."""
    data = torch.tensor([0.0, 3.0, 1.0], dtype=torch.complex128).reshape(3, 1, 1, 1)
    misfit = LeastSquares(lambda x: x, data, float(data.norm()) ** 2)
    penalty = TemporalTotalVariation((3, 1, 1, 1), 0.25)
    solution = torch.tensor([0.25, 2.5, 1.25], dtype=torch.complex128).reshape(3, 1, 1, 1)
    return KnownMinimum(misfit, penalty, solution, 1.0)


@dataclass
class Cine:
    """Cartesian samples of a disc that moves over a still background, a third of the lines left out, two coils."""

    misfit: LeastSquares
    shape: tuple[int, int, int, int]
    penalty: TemporalTotalVariation

    def value(self, x: Tensor) -> float:
        return self.misfit.value(x) + self.penalty.value(self.penalty.forward(x))


def cine(weight: float = 0.05, frames: int = 5, size: int = 8, coils: int = 2, noise_level: float = 0.05) -> Cine:
    """The eigenvalues of its gram lie between 0 and 1. The gram is kept as one matrix a frame, quick at this size."""
    shape = (frames, 1, size, size)
    y, x = torch.meshgrid(*(torch.arange(size, dtype=torch.float64) - size // 2,) * 2, indexing="ij")
    still = (x.abs() < size / 3) & (y.abs() < size / 2.5)
    moving = [((x - 2 * math.cos(t)) ** 2 + (y - 2 * math.sin(t)) ** 2 < 4).double() for t in range(frames)]
    truth = torch.stack([(still + disc).unsqueeze(0) for disc in moving]).to(torch.complex128)
    maps = torch.stack([torch.exp(1j * c + ((-1) ** c * 3 * x + 1j * y) / size) for c in range(coils)])
    maps = (maps / maps.abs().square().sum(0).sqrt()).unsqueeze(1)
    # every line is measured in some frames, no frame has all
    lines, numbers = torch.arange(size), torch.arange(frames)
    mask = ((lines + numbers.unsqueeze(1)) % 3 > 0).reshape(frames, 1, size, 1)
    sampling = MaskOperator(mask.expand(shape))
    model = sampling @ FourierOperator((size, size)) @ CoilOperator(maps)
    samples = model.forward(truth)
    samples = sampling.forward(samples + noise_level * noise(tuple(samples.shape), 5))

    units = torch.eye(size * size, dtype=torch.complex128).reshape(-1, 1, 1, size, size).expand(-1, *shape)
    matrices = torch.stack([model.gram(unit).flatten(1) for unit in units], -1)

    def gram(x: Tensor) -> Tensor:
        return (matrices @ x.reshape(frames, -1, 1)).reshape(shape)

    misfit = LeastSquares(gram, model.adjoint(samples), float(samples.norm()) ** 2)
    return Cine(misfit, shape, TemporalTotalVariation(shape, weight))
