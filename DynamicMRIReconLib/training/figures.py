"""Figures of merit of a batch of images in [0, 1], on the device it is on; each is (B,)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: of the Gaussian window of SSIM
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def psnr_db(images: Tensor, targets: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of (B, 1, y, x) with data range 1, at most 100 dB."""
    error = (images - targets).square().mean((-3, -2, -1)).clamp_min(1e-10)
    return -10 * error.log10()


def ssim(images: Tensor, targets: Tensor) -> Tensor:
    """Structural similarity of (B, 1, y, x) with data range 1: Gaussian window 11x11, sigma 1.5, zeros beyond.

    Z. Wang et al., IEEE Trans. Image Process. 13 (2004) 600-612. Not the window of ``evaluation``: these are the
    published networks' figures.
    """
    line = torch.exp(-((torch.arange(WINDOW, device=images.device) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    kernel = (line[:, None] * line / line.sum() ** 2)[None, None].to(images)

    def mean(x: Tensor) -> Tensor:
        return functional.conv2d(x, kernel, padding=WINDOW // 2)

    mean_x, mean_y = mean(images), mean(targets)
    var_x, var_y = mean(images**2) - mean_x**2, mean(targets**2) - mean_y**2
    covariance = mean(images * targets) - mean_x * mean_y
    same = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    return (same / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))).mean((-3, -2, -1))
