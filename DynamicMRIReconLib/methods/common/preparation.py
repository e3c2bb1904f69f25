"""What an iterative method needs beside the samples: coil maps, density weights, and the scale of the image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import KSpace

if TYPE_CHECKING:
    from torch import Tensor

#: the time average that sets the scale is taken over at most so many frames
FRAMES_FOR_SCALE = 32


def with_density(kspace: KSpace) -> KSpace:
    """``kspace`` with density compensation weights: its own, or computed once for all slices. Cartesian passes."""
    if kspace.trajectory is None or kspace.density is not None:
        return kspace
    from DynamicMRIReconLib.acquisition.density import density_weights

    if kspace.trajectory.ndim == 4:
        return replace(kspace, density=density_weights(kspace.trajectory, kspace.matrix))
    slices = [density_weights(kspace.trajectory[:, z], kspace.matrix) for z in range(kspace.trajectory.shape[1])]
    # not np.stack: the weights of a long series have no place in memory
    density = spool.empty(kspace.trajectory.shape[:-1], np.float32)
    for z, weights in enumerate(slices):
        for part in spool.blocks(weights):
            density[part, z] = weights[part]
    return replace(kspace, density=density)


def sensitivity_maps(kspace: KSpace) -> NDArray[np.complex64]:
    """(coils, z, y, x) coil maps: those of ``kspace``, ones for a single coil, else estimated from the time average."""
    if kspace.coil_maps is not None:
        return kspace.coil_maps
    if kspace.coils == 1:
        return np.ones((1, *kspace.matrix), np.complex64)
    from DynamicMRIReconLib.acquisition.coil_maps import estimate_coil_maps

    maps: NDArray[np.complex64] = estimate_coil_maps(kspace)
    return maps


def combine_coils(images: Tensor, maps: Tensor) -> Tensor:
    """(frames, coils, z, y, x) -> (frames, z, y, x): least squares over coils, zero where no coil is sensitive.

    P. B. Roemer et al., Magn. Reson. Med. 16 (1990) 192-225, doi:10.1002/mrm.1910160203, noise taken as white.
    """
    power = maps.abs().square().sum(0)
    seen = power > 1e-6 * power.max()
    combined: Tensor = (maps.conj() * images).sum(1)
    return combined / power.where(seen, 1) * seen


def time_average(kspace: KSpace, maps: NDArray[np.complex64], device: Any = "cpu", backend: str = "auto") -> Tensor:
    """(z, y, x) complex: the time-averaged, gridded, coil-combined image of one slice, in the scale of the data.

    Of at most ``FRAMES_FOR_SCALE`` frames; does not depend on how frames are later grouped into blocks. ``kspace``: one
    slice with density weights (``with_density``) if it is not Cartesian.
    """
    import torch

    from DynamicMRIReconLib.operators.acquisition_model import sampling_operator
    from DynamicMRIReconLib.operators.fourier import ifft2c

    # a first division keeps squares within single precision whatever unit the scanner used
    peak = spool.peak(kspace.samples)
    chosen = slice(0, None, -(-kspace.frames // FRAMES_FOR_SCALE))
    coil_maps = torch.as_tensor(maps, device=device)
    if kspace.mask is not None:
        samples = kspace.samples[chosen].sum(axis=0) / peak
        count = np.maximum(kspace.mask[chosen].sum(axis=0), 1)
        images = ifft2c(torch.as_tensor((samples / count).astype(np.complex64), device=device))
    else:
        assert kspace.density is not None
        images = torch.zeros((kspace.coils, *kspace.matrix), dtype=torch.complex64, device=device)
        numbers = range(kspace.frames)[chosen]
        for frame in numbers:
            one = slice(frame, frame + 1)
            weighted = kspace.samples[one] / np.float32(peak) * kspace.density[one, None]
            sampling = sampling_operator(kspace, one, device, backend)
            images += sampling.adjoint(torch.as_tensor(weighted, device=device))[0].reshape(images.shape)
        images /= len(numbers)
    return combine_coils(images[None], coil_maps)[0] * peak


def intensity_scale(kspace: KSpace, maps: NDArray[np.complex64], device: Any = "cpu", backend: str = "auto") -> float:
    """Largest magnitude of ``time_average``; > 0. Samples divided by it describe an image of about 1."""
    largest = float(time_average(kspace, maps, device, backend).abs().max())
    return largest if largest > 0 else spool.peak(kspace.samples)
