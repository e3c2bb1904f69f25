"""Coarse images as the published training and tests of cardiac super-resolution make them from fine ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError


def cropped_to_multiple(images: NDArray[Any], multiple: int) -> NDArray[Any]:
    """The middle of ``images`` (..., y, x) whose sides are multiples of ``multiple``: as much is cut at either side.

    Raises
    ------
    InputError
        If nothing would be left.
    """
    height, width = images.shape[-2:]
    if min(height, width) < multiple:
        raise InputError(f"Images of {width} x {height} pixels are too small: {multiple} x {multiple} are needed.")
    top, left = (height % multiple) // 2, (width % multiple) // 2
    return images[..., top : top + height - height % multiple, left : left + width - width % multiple]


def degraded(images: NDArray[Any], scale: int, *, rounded: bool = False) -> NDArray[np.float32]:
    """Fine magnitudes (..., y, x) -> coarse ones (..., y / scale, x / scale), the field of view kept.

    k-space outside of the central part that the coarse image could hold is set to zero at full size; the magnitude of
    that image is then sampled at the coarse voxels' middles by cubic convolution (a = -0.75), half a coarse voxel from
    the border.

    Parameters
    ----------
    rounded
        Round to whole numbers after either step and bound to [0, 255], as the published data are.

    Raises
    ------
    InputError
        If a side is no multiple of ``scale``.
    """
    import torch

    from DynamicMRIReconLib.networks.upsampler import sampled

    height, width = images.shape[-2:]
    smooth = torch.from_numpy(low_passed(images, scale)).reshape(-1, 1, height, width)
    coarse = sampled(smooth.round() if rounded else smooth, (height // scale, width // scale))
    coarse = coarse.round().clamp(0, 255) if rounded else coarse
    found: NDArray[np.float32] = coarse.reshape(*images.shape[:-2], height // scale, width // scale).numpy()
    return found


def low_passed(images: NDArray[Any], scale: int) -> NDArray[np.float32]:
    """Magnitudes (..., y, x) with the part of k-space only that an image ``scale`` times coarser holds.

    Raises
    ------
    InputError
        If a side is no multiple of ``scale``.
    """
    import torch

    from DynamicMRIReconLib.operators.fourier import fft2c, ifft2c

    height, width = images.shape[-2:]
    if height % scale or width % scale:
        raise InputError(
            f"Images of {width} x {height} pixels cannot be made {scale} times coarser: crop to a multiple of {scale}."
        )
    kspace = fft2c(torch.from_numpy(np.ascontiguousarray(images, np.float32)).to(torch.complex64))
    kept = torch.zeros_like(kspace)
    rows, columns = (_central(side, scale) for side in (height, width))
    kept[..., rows, columns] = kspace[..., rows, columns]
    found: NDArray[np.float32] = ifft2c(kept).abs().numpy()
    return found


def _central(side: int, scale: int) -> slice:
    """``side // scale`` frequencies around k = 0, which lies at ``side // 2``."""
    start = side // 2 - side // scale // 2
    return slice(start, start + side // scale)
