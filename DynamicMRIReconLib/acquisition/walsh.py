"""Adaptive coil maps from low-resolution coil images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def walsh_maps(images: NDArray[np.complex64], smoothing_voxels: float = 2.0) -> NDArray[np.complex64]:
    """Unit-norm maps (coils, y, x): the dominant eigenvector of the local covariance of coil ``images`` (coils, y, x).

    D. O. Walsh, A. F. Gmitro, M. W. Marcellin, Magn. Reson. Med. 43 (2000) 682-690, equation 11 with white noise. The
    covariance is averaged with a Gaussian of sd ``smoothing_voxels``. Phases are arbitrary: see ``align_phase``.
    """
    from scipy.ndimage import gaussian_filter

    covariance = images[:, None] * images[None].conj()
    smooth = gaussian_filter(covariance, sigma=(0, 0, smoothing_voxels, smoothing_voxels), mode="wrap")
    _, vectors = np.linalg.eigh(np.moveaxis(smooth, (0, 1), (-2, -1)))
    return np.asarray(np.moveaxis(vectors[..., -1], -1, 0), np.complex64)


def align_phase(maps: NDArray[np.complex64], images: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Maps (coils, y, x) with the phase that a virtual coil, the principal one of ``images``, would have turned to 0.

    The virtual coil sees the whole object, where a single real coil has places without signal and hence of undefined
    phase. M. Buehrer et al., Magn. Reson. Med. 57 (2007) 1131-1139 (coil compression).
    """
    flat = images.reshape(len(images), -1)
    _, vectors = np.linalg.eigh(flat @ flat.conj().T)
    reference = np.tensordot(vectors[:, -1].conj(), maps, axes=1)
    size = np.abs(reference)
    turn = np.where(size > 0, reference.conj() / np.where(size > 0, size, 1), 1)
    return np.asarray(maps * turn, np.complex64)
