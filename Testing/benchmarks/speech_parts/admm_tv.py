"""The paper's baseline for one coil on the grid: total variation by ADMM, solved exactly in k-space."""

from __future__ import annotations

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c

RHO, ITERATIONS = 0.1, 100


def admm_tv(samples: Tensor, mask: Tensor, weight: float) -> Tensor:
    """``min_x |M F x - y|^2 / 2 + weight |gradient x|_{2,1}`` for images of about 1, periodic differences.

    Splitting ``z = gradient x``; mask and Laplacian are both diagonal in k-space, so each x is exact. The method ``tv``
    minimises the same for any coils and trajectories; with its default iterations it ends 0.3 dB lower here.

    Parameters
    ----------
    samples, mask
        (T, N, N) complex, zero where nothing was measured, and bool; k = 0 at index N // 2.
    """
    n = samples.shape[-1]
    frequency = 2 - 2 * torch.cos(2 * torch.pi * (torch.arange(n) - n // 2) / n)
    laplacian = frequency[:, None] + frequency[None, :]
    # every frequency is either measured or has a gradient
    diagonal = mask + RHO * laplacian
    images = ifft2c(samples)
    scaled = torch.zeros(2, *images.shape, dtype=images.dtype)
    split = _gradient(images)
    for _ in range(ITERATIONS):
        images = ifft2c((samples + RHO * fft2c(_adjoint(split - scaled))) / diagonal.clamp_min(1e-9))
        moved = _gradient(images) + scaled
        size = moved.abs().square().sum(0).sqrt()
        split = moved * (1 - weight / RHO / size.clamp_min(1e-12)).clamp_min(0)
        scaled = moved - split
    return images


def _gradient(x: Tensor) -> Tensor:
    return torch.stack([x.roll(-1, -1) - x, x.roll(-1, -2) - x])


def _adjoint(z: Tensor) -> Tensor:
    return z[0].roll(1, -1) - z[0] + z[1].roll(1, -2) - z[1]
