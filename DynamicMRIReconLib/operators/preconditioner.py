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
from DynamicMRIReconLib.operators.fourier import fftc, ifftc
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
    """Solves ``(D + temporal Dt^H Dt + spatial Ds^H Ds + identity) x = r`` for series (frames, z, y, x).

    Parameters
    ----------
    density
        (frames, z, y, x) real >= 0, as ``sampling_density`` gives it.
    temporal, spatial, identity
        weights >= 0 of the squared differences between frames (none beyond the last), of the squared differences
        between voxels along ``spatial_axes`` (wrapping around), and of the squared image. ``identity`` should be > 0
        where the density has zeros.
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
        self._pivot, self._carry = self._eliminate(diagonal)

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
        spectrum = fftc(residual, self.axes)
        if self.temporal == 0:
            return ifftc(spectrum * self._pivot, self.axes)
        frames = list(spectrum)
        frames[0] = frames[0] * self._pivot[0]
        for t in range(1, len(frames)):
            frames[t] = (frames[t] + self.temporal * frames[t - 1]) * self._pivot[t]
        for t in range(len(frames) - 2, -1, -1):
            frames[t] = frames[t] + self._carry[t] * frames[t + 1]
        return ifftc(torch.stack(frames), self.axes)


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
        density = _with_gradient(density, spatial, transform_axes)
        self._density, self._first, self._second = density, first, second
        self._reciprocal = 1 / (density * (first + second) + first * second)

    def __call__(self, residual: Tensor) -> Tensor:
        """(2, frames, z, y, x) complex -> the same shape. Hermitian and positive definite."""
        axes = tuple(axis + 1 for axis in self.axes)
        one, two = fftc(residual, axes)
        solved = torch.stack(
            [
                ((self._density + self._second) * one - self._density * two) * self._reciprocal,
                ((self._density + self._first) * two - self._density * one) * self._reciprocal,
            ]
        )
        return ifftc(solved, axes)
