"""K-space on the grid, for networks that replace what was measured by its value on the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.methods.common.preparation import time_average
from DynamicMRIReconLib.methods.common.trained import BRIGHT_PERCENT

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: conjugate gradient iterations of the least-squares gridding of what differs from the time average, and their damping
ITERATIONS, DAMPING = 6, 0.01

#: where the frames together have less than this share of the grid, their average is too dark to tell the scale
COVERED = 0.9
#: root mean square of the frames of training, whose 99.9th percentile is 1: 0.28 to 0.44
TYPICAL_RMS = 0.34


class GriddedFrames:
    """Samples on the grid points next to a trajectory, a block of frames at a time; Cartesian k-space passes.

    A grid point counts as measured when a sample lies nearer to it than to any other (``cells``). Its value: samples
    between the grid points cannot just be moved there, since k-space turns its phase by up to half a cycle from one
    point to the next. So each frame is first explained by an image ``x = a + d``: ``a`` is the time average, whose
    k-space is known everywhere, and ``d`` the smallest image that explains what is left,
    ``min over d |sqrt(w) (A (a + d) - y)|^2 + DAMPING |d|^2``, by a few conjugate gradient iterations with density
    weights w of at most 1. The values are those of ``F C x`` for each coil.

    Parameters
    ----------
    kspace
        One slice, with density weights if it is not Cartesian.
    maps
        (coils, 1, y, x).
    device, backend
        Of torch, and of the non-uniform transform.
    """

    def __init__(self, kspace: KSpace, maps: NDArray[np.complex64], device: Any, backend: str = "auto") -> None:
        import torch

        self._kspace, self._device, self._backend = kspace, device, backend
        self._maps = torch.as_tensor(maps, device=device)
        self._average = time_average(kspace, maps, device, backend)
        magnitude = self._average.abs().cpu().numpy()
        if kspace.mask is not None and kspace.mask.any(axis=0).mean() < COVERED:
            bright = rms(kspace) / TYPICAL_RMS
        else:
            bright = np.percentile(magnitude, BRIGHT_PERCENT)
        self.scale = float(bright or magnitude.max() or spool.peak(kspace.samples))
        density = kspace.density
        self._weights = None if density is None else spool.mapped(lambda w: np.minimum(w, 1), density, np.float32)

    def __call__(self, frames: slice) -> tuple[Tensor, Tensor]:
        """(frames, coils, ky, kx) complex samples divided by ``scale``, and (frames, ky, kx) bool."""
        import torch

        samples = torch.as_tensor(self._kspace.samples[frames], device=self._device) / self.scale
        if self._kspace.mask is not None:
            return samples[:, :, 0], torch.as_tensor(self._kspace.mask[frames, 0], device=self._device)
        assert self._kspace.trajectory is not None
        mask = torch.as_tensor(cells(self._kspace.trajectory[frames], self._kspace.matrix[1:]), device=self._device)
        return torch.where(mask[:, None], self._grid(samples, frames), 0), mask

    def _grid(self, samples: torch.Tensor, frames: slice) -> torch.Tensor:
        import torch

        from DynamicMRIReconLib.operators.acquisition_model import acquisition_model
        from DynamicMRIReconLib.operators.fourier import fft2c
        from DynamicMRIReconLib.solvers.cg import conjugate_gradient

        weights = self._weights
        assert weights is not None
        model = acquisition_model(self._kspace, self._maps, self._device, self._backend, frames=frames, weights=weights)
        root = torch.as_tensor(weights[frames], device=self._device).sqrt()[:, None]
        average = (self._average / self.scale).expand(len(samples), *self._average.shape).contiguous()
        left = root * samples - model.forward(average)
        change = conjugate_gradient(lambda x: model.gram(x) + DAMPING * x, model.adjoint(left), iterations=ITERATIONS)
        return fft2c(self._maps[None, :, 0] * (average + change))


def rms(kspace: KSpace) -> float:
    """Root mean square of the images of one Cartesian slice, from the energy of its samples around each radius.

    Radii without samples get the energy between their neighbours'. Whatever the mask leaves out, the figure is that of
    the full image to some per cent, where an image of zeros in the gaps loses up to two thirds of its brightness.
    """
    assert kspace.mask is not None
    mask, samples = kspace.mask[:, 0], kspace.samples[:, :, 0]
    energy = np.zeros(mask.shape[1:])
    for part in spool.blocks(samples):
        energy += (np.abs(samples[part]) ** 2).sum(axis=1, dtype=np.float64).sum(axis=0)
    y, x = np.ogrid[tuple(slice(-(n // 2), n - n // 2) for n in mask.shape[1:])]
    # k = 0, most of the energy, is a ring of its own
    ring = np.ceil(np.hypot(y, x) / 2).astype(int).ravel()
    measured = np.bincount(ring, mask.sum(axis=0).ravel())
    known = measured > 0
    mean = np.bincount(ring, energy.ravel())[known] / measured[known]
    rings = np.arange(len(measured))
    filled = np.exp(np.interp(rings, rings[known], np.log(np.maximum(mean, np.finfo(float).tiny))))
    return float(np.sqrt((filled * np.bincount(ring)).sum() / ring.size))


def cells(trajectory: NDArray[np.float32], shape_yx: tuple[int, ...]) -> NDArray[np.bool_]:
    """Grid points that are the nearest one of some sample: (frames, ky, kx) of (frames, shots, readout, 2)."""
    ny, nx = shape_yx
    x, y = (np.rint(trajectory[..., axis]).astype(int) + n // 2 for axis, n in enumerate((nx, ny)))
    inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
    frame = np.broadcast_to(np.arange(len(trajectory))[:, None, None], x.shape)
    mask = np.zeros((len(trajectory), ny, nx), bool)
    mask[frame[inside], y[inside], x[inside]] = True
    return mask


def grid_acceleration(kspace: KSpace) -> float:
    """Grid points for each measured one, in the first frame that tells (all frames of a scan have as many)."""
    if kspace.trajectory is None:
        return kspace.acceleration
    first = kspace.trajectory[0] if kspace.trajectory.ndim == 4 else kspace.trajectory[0, 0]
    mask = cells(first[None], kspace.matrix[1:])
    return float(mask.size / max(1, int(mask.sum())))
