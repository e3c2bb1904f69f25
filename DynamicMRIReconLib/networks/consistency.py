"""Data consistency: what a network says about measured samples is replaced by, or weighed against, what was measured.

Images (N, y, x) complex, samples (N, coils, ky, kx) complex, zero where nothing was measured, masks (N, ky, kx) bool,
coil maps (coils, y, x) or (N, coils, y, x); k-space centred and orthonormal (``operators/fourier.py``). With ``A = M F
C``: mask after transform after coil maps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c
from DynamicMRIReconLib.solvers.cg import conjugate_gradient

#: conjugate gradient iterations for several coils: as many as pay with maps and samples that are a little wrong
ITERATIONS = 12
#: a system is solved when its residual is this share of its right-hand side
TOLERANCE = 1e-9
#: what a sample counts in the next frame, and at least in any
HALVED, LEAST = 0.5, 1e-20


def combine(coil_images: Tensor, coil_maps: Tensor | None) -> Tensor:
    """(N, coils, y, x) -> (N, y, x): least squares over coils, zero where no coil is sensitive."""
    if coil_maps is None:
        return coil_images[:, 0]
    power = coil_maps.abs().square().sum(-3)
    seen = power > 1e-6 * power.max()
    combined: Tensor = (coil_maps.conj() * coil_images).sum(1)
    return combined * seen / power.where(seen, 1)


def consistent(
    x: Tensor,
    samples: Tensor,
    mask: Tensor,
    coil_maps: Tensor | None = None,
    noise_weight: float | None = None,
    iterations: int = ITERATIONS,
) -> Tensor:
    """The image next to ``x`` that agrees with the samples: ``min over z |z - x|^2`` with ``A z = y``.

    One coil without a map: the measured points of the spectrum are replaced, exactly. Several coils: ``z = x + d`` with
    the smallest ``d`` that makes ``|A z - y|`` smallest, by conjugate gradients from zero. When the samples are those
    of an image seen through the maps, ``A z`` comes to ``y`` with ``iterations``; else no image has them all, the least
    squares remain, and many iterations amplify what does not fit.

    With ``noise_weight`` v: ``min over z |z - x|^2 + v |A z - y|^2``; for one coil ``(k + v y) / (1 + v)`` at measured
    points (J. Schlemper et al., IEEE Trans. Med. Imaging 37 (2018) 491-503). Small v for noisy samples.
    """
    if coil_maps is None:
        known = samples[:, 0]
        spectrum = fft2c(x)
        if noise_weight is not None:
            known = (spectrum + noise_weight * known) / (1 + noise_weight)
        return ifft2c(torch.where(mask, known, spectrum))

    # Double precision, where there is such: smooth maps make equations that nearly depend on each other.
    wide = torch.complex64 if x.device.type == "mps" else torch.complex128
    maps, start = coil_maps.to(wide), x.to(wide)

    def gram(z: Tensor) -> Tensor:
        return _adjoint(_forward(z, mask, maps), maps)

    rhs = _adjoint(samples - _forward(start, mask, maps), maps)
    system = gram
    if noise_weight is not None:
        rhs = noise_weight * rhs

        def system(z: Tensor) -> Tensor:
            return z + noise_weight * gram(z)

    return (start + conjugate_gradient(system, rhs, iterations=iterations, tolerance=TOLERANCE)).to(x.dtype)


def shared(samples: Tensor, mask: Tensor) -> Tensor:
    """Samples with the gaps of each frame filled from the others: (B, T, coils, ky, kx) and (B, T, ky, kx) likewise.

    At each place the mean of what the frames measured there, weights halved with each frame of distance; zero where no
    frame has a sample. What a frame measured itself stays as it is.
    """
    time = torch.arange(mask.shape[1], device=mask.device)
    # far frames count little, but more than nothing
    weights = (HALVED ** (time[:, None] - time).abs().to(samples.real.dtype)).clamp_min(LEAST)
    total = torch.einsum("ts,bsyx->btyx", weights, mask.to(weights.dtype))
    filled = torch.einsum("ts,bscyx->btcyx", weights.to(samples.dtype), samples)
    return torch.where(mask[:, :, None], samples, filled / total.clamp_min(LEAST)[:, :, None])


def _forward(image: Tensor, mask: Tensor, coil_maps: Tensor) -> Tensor:
    return torch.where(mask[:, None], fft2c(coil_maps * image[:, None]), 0)


def _adjoint(samples: Tensor, coil_maps: Tensor) -> Tensor:
    adjoint: Tensor = (coil_maps.conj() * ifft2c(samples)).sum(1)
    return adjoint
