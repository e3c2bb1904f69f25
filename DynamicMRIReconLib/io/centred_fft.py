"""Centred, orthonormal Fourier transforms along one axis and cuts about the centre, for readers (numpy only)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def fft_axis(array: NDArray[Any], axis: int) -> NDArray[np.complex64]:
    """Image space to k-space along ``axis``; index N // 2 is the centre on both sides."""
    from scipy import fft

    shifted = fft.fft(fft.ifftshift(array, axes=axis), axis=axis, norm="ortho")
    return np.asarray(fft.fftshift(shifted, axes=axis), np.complex64)


def ifft_axis(array: NDArray[Any], axis: int) -> NDArray[np.complex64]:
    """k-space to image space along ``axis``: the inverse of ``fft_axis``."""
    from scipy import fft

    shifted = fft.ifft(fft.ifftshift(array, axes=axis), axis=axis, norm="ortho")
    return np.asarray(fft.fftshift(shifted, axes=axis), np.complex64)


def fit_axis(array: NDArray[Any], axis: int, size: int) -> NDArray[Any]:
    """Cut or zero-pad ``axis`` to ``size`` so that the element at N // 2 stays at the new N // 2."""
    old = array.shape[axis]
    axis %= array.ndim
    shift = size // 2 - old // 2
    if size <= old:
        return array[(slice(None),) * axis + (slice(-shift, -shift + size),)]
    result = np.zeros((*array.shape[:axis], size, *array.shape[axis + 1 :]), array.dtype)
    result[(slice(None),) * axis + (slice(shift, shift + old),)] = array
    return result


def crop_field_of_view(samples: NDArray[Any], axis: int, size: int) -> NDArray[np.complex64]:
    """k-space of the central ``size`` voxels along ``axis``: oversampling removed in image space."""
    if size == samples.shape[axis]:
        return np.asarray(samples, np.complex64)
    return fft_axis(fit_axis(ifft_axis(samples, axis), axis, size), axis)
