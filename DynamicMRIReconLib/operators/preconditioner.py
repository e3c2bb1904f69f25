"""An approximate inverse of a dynamic acquisition plus quadratic smoothness, by FFTs and a recurrence over frames.

Conjugate gradients on undersampled radial or spiral data are slow because the centre of k-space is sampled a hundred
times more densely than its edge. Here coil sensitivities are left out, the sampling of each frame is replaced by the
circulant matrix nearest to it, and what remains is solved exactly: for every spatial frequency a tridiagonal system
over the frames.

T. F. Chan, SIAM J. Sci. Stat. Comput. 9 (1988) 766-771, doi:10.1137/0909051 (the nearest circulant).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.operators.nufft import NufftOperator
from DynamicMRIReconLib.operators.toeplitz import ToeplitzGram


def sampling_density(kspace: KSpace, device: str | torch.device = "cpu", backend: str = "auto") -> Tensor:
    """(frames, z, y, x) eigenvalues, by centred spatial frequency, of the circulant nearest to ``F^H F`` of each frame.

    For Cartesian k-space this is the mask itself, exact. ``kspace``: one slice, or a 3-D trajectory.
    """
    if kspace.mask is not None:
        return torch.as_tensor(kspace.mask, dtype=torch.float32, device=device)
    assert kspace.trajectory is not None
    trajectory = torch.as_tensor(kspace.trajectory, device=device)
    flat = trajectory.shape[-1] == 2
    nufft = NufftOperator(trajectory, kspace.matrix[1:] if flat else kspace.matrix, backend=backend)
    density = torch.stack([_nearest_circulant(spectrum) for spectrum in ToeplitzGram(nufft).kernel])
    return density.unsqueeze(1) if flat else density


def _nearest_circulant(spectrum: Tensor) -> Tensor:
    """Centred eigenvalues (N...) from the spectrum (2N...) of the convolution that a gram is."""
    dims = tuple(range(spectrum.ndim))
    response = torch.fft.ifftn(spectrum, dim=dims)
    for dim in dims:
        size = spectrum.shape[dim] // 2
        lags = torch.arange(2 * size, device=spectrum.device)
        weight = 1 - torch.minimum(lags, 2 * size - lags) / size
        response = response * weight.reshape([-1 if other == dim else 1 for other in dims])
        response = response.unflatten(dim, (2, size)).sum(dim)
    return torch.fft.fftshift(torch.fft.fftn(response, dim=dims).real, dim=dims).clamp_min(0)


def _with_gradient(diagonal: Tensor, weight: float, axes: tuple[int, ...]) -> Tensor:
    """``diagonal`` (frames, z, y, x) plus the eigenvalues of weighted squared differences that wrap around."""
    for axis in axes:
        size = diagonal.shape[axis]
        frequency = (torch.arange(size, dtype=diagonal.dtype, device=diagonal.device) - size // 2) / size
        squared = 2 - 2 * torch.cos(2 * math.pi * frequency)
        diagonal = diagonal + weight * squared.reshape([-1 if a == axis else 1 for a in range(4)])
    return diagonal


class SeriesPreconditioner:
    """Solves ``(D + temporal Dt^H Dt + wrap w^H w + spatial Ds^H Ds + identity) x = r`` for series (frames, z, y, x).

    Parameters
    ----------
    density
        (frames, z, y, x) real >= 0, as ``sampling_density`` gives it.
    temporal, spatial, identity
        weights >= 0 of the squared differences between frames (none beyond the last), of the squared differences
        between voxels along ``spatial_axes`` (wrapping around), and of the squared image. ``identity`` should be > 0
        where the density has zeros.
    wrap
        weight >= 0 of the squared difference w between the last frame and the first.
    spatial_axes
        axes of the series along which ``spatial`` counts, of 1 (z), 2 (y), 3 (x).
    transform_axes
        axes along which k-space was measured: (2, 3) for slices, (1, 2, 3) for a 3-D trajectory.

    Raises
    ------
    ValueError
        If differences count along an axis that is not transformed: then there is no recurrence over frames alone.
    """

    def __init__(
        self,
        density: Tensor,
        *,
        temporal: float = 0.0,
        wrap: float = 0.0,
        spatial: float = 0.0,
        identity: float = 1e-3,
        spatial_axes: tuple[int, ...] = (2, 3),
        transform_axes: tuple[int, ...] = (2, 3),
    ) -> None:
        mixed = [axis for axis in spatial_axes if axis not in transform_axes and density.shape[axis] > 1]
        if spatial > 0 and mixed:
            raise ValueError(f"spatial_axes {spatial_axes} must be among the transform_axes {transform_axes}.")
        self.temporal = temporal
        self.axes = transform_axes
        diagonal = density + identity
        diagonal = _with_gradient(diagonal, spatial, spatial_axes)
        if temporal > 0 and len(density) > 1:
            diagonal = diagonal + 2 * temporal
            diagonal[0] -= temporal
            diagonal[-1] -= temporal
        # nothing here depends on where the origin is: frequencies in the order of the FFT need no shift
        self._pivot, self._carry = self._eliminate(torch.fft.ifftshift(diagonal, dim=transform_axes))
        self._answer: Tensor | None = None
        if wrap > 0 and len(density) > 1:
            # the difference between the ends adds a matrix of rank one: the formula of Sherman and Morrison
            ends = torch.zeros_like(density)
            ends[0], ends[-1] = 1, -1
            self._answer = self._recur(ends)
            self._share = wrap / (1 + wrap * (self._answer[0] - self._answer[-1]))

    def _eliminate(self, diagonal: Tensor) -> tuple[Tensor, Tensor]:
        """The reciprocal pivots, and the factors that carry a solved frame back to the one before it."""
        pivot, carry = torch.empty_like(diagonal), torch.zeros_like(diagonal)
        pivot[0] = 1 / diagonal[0]
        for frame in range(1, len(diagonal)):
            carry[frame - 1] = self.temporal * pivot[frame - 1]
            pivot[frame] = 1 / (diagonal[frame] - self.temporal * carry[frame - 1])
        return pivot, carry

    def __call__(self, residual: Tensor) -> Tensor:
        """(frames, z, y, x) complex -> the same shape. Hermitian and positive definite."""
        spectrum = torch.fft.fftn(residual, dim=self.axes)
        solved = self._recur(spectrum)
        if self._answer is not None:
            solved.addcmul_(self._answer.to(solved.dtype), self._share * (solved[0] - solved[-1]), value=-1)
        return torch.fft.ifftn(solved, dim=self.axes)

    def _recur(self, frames: Tensor) -> Tensor:
        """The tridiagonal systems solved for each frequency, in the memory of ``frames``."""
        if self.temporal == 0:
            return frames.mul_(self._pivot)
        frames[0].mul_(self._pivot[0])
        for t in range(1, len(frames)):
            frames[t].add_(frames[t - 1], alpha=self.temporal).mul_(self._pivot[t])
        for t in range(len(frames) - 2, -1, -1):
            frames[t].addcmul_(self._carry[t].to(frames.dtype), frames[t + 1])
        return frames


class SumPreconditioner:
    """Solves ``[D + p, D; D, D + q] (l, s) = r``: two series of which only the sum was measured.

    Parameters
    ----------
    density
        (frames, z, y, x) real >= 0, as ``sampling_density`` gives it.
    first, second
        p and q > 0, the weights of the squared first and second series.
    transform_axes
        axes along which k-space was measured, of the series.
    spatial
        weight >= 0 of the squared differences between voxels of the sum along these axes, wrapping around; it counts
        like density.
    """

    def __init__(
        self,
        density: Tensor,
        first: float,
        second: float,
        transform_axes: tuple[int, ...] = (2, 3),
        *,
        spatial: float = 0.0,
    ) -> None:
        self.axes = transform_axes
        density = torch.fft.ifftshift(_with_gradient(density, spatial, transform_axes), dim=transform_axes)
        self._density, self._first, self._second = density, first, second
        self._reciprocal = 1 / (density * (first + second) + first * second)

    def __call__(self, residual: Tensor) -> Tensor:
        """(2, frames, z, y, x) complex -> the same shape. Hermitian and positive definite."""
        axes = tuple(axis + 1 for axis in self.axes)
        spectrum = torch.fft.fftn(residual, dim=axes)
        one, two = spectrum
        # (D + q) l - D s and (D + p) s - D l
        shared = (one - two).mul_(self._density)
        one.mul_(self._second).add_(shared).mul_(self._reciprocal)
        two.mul_(self._first).sub_(shared).mul_(self._reciprocal)
        return torch.fft.ifftn(spectrum, dim=axes)
