"""Receiver noise: add it, measure its covariance, whiten samples with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.errors import InputError


def complex_noise(shape: tuple[int, ...], sd: float, seed: int = 0) -> NDArray[np.complex64]:
    """Circular complex Gaussian noise n with ``E|n|**2 = sd**2``: real and imaginary part each of sd / sqrt(2)."""
    if not (np.isfinite(sd) and sd >= 0):
        raise InputError(f"The standard deviation of noise must be 0 or more, not {sd:g}.")
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(sd / np.sqrt(2))
    noise: NDArray[np.complex64] = parts.view(np.complex64)[..., 0]
    return noise


def add_noise(samples: NDArray[np.complex64], snr: float, seed: int = 0) -> NDArray[np.complex64]:
    """``samples`` plus noise such that the root mean square of the measured (non-zero) samples is ``snr`` times its sd.

    Samples that are exactly zero (not measured) stay zero.

    Raises
    ------
    InputError
        If ``snr`` is not positive or every sample is zero.
    """
    measured = samples != 0
    if not (np.isfinite(snr) and snr > 0):
        raise InputError(f"The signal-to-noise ratio must be positive, not {snr:g}.")
    if not measured.any():
        raise InputError("Noise relative to the signal cannot be added: all samples are zero.")
    sd = float(np.sqrt(np.mean(np.abs(samples[measured]).astype(np.float64) ** 2))) / snr
    return np.asarray(samples + complex_noise(samples.shape, sd, seed) * measured, np.complex64)


def noise_covariance(noise: ArrayLike, coil_axis: int = 0) -> NDArray[np.complex128]:
    """(coils, coils) covariance ``E[n n^H]`` of noise-only samples; the mean is taken as zero.

    Raises
    ------
    InputError
        If there are fewer than two samples a coil for every coil, or they are not finite.
    """
    values = np.moveaxis(np.asarray(noise, np.complex128), coil_axis, 0)
    values = values.reshape(len(values), -1)
    coils, count = values.shape
    if count < 2 * coils:
        raise InputError(f"The noise scan has {count} samples for {coils} coils: at least {2 * coils} are needed.")
    if not np.isfinite(values).all():
        raise InputError("The noise scan holds values that are not finite.")
    return np.asarray(values @ values.conj().T / count)


def prewhiten(samples: NDArray[np.complex64], noise: ArrayLike, coil_axis: int) -> NDArray[np.complex64]:
    """``samples`` with the coils mixed so that their noise is uncorrelated and of unit variance, ``E|n|**2 = 1``.

    K. P. Pruessmann et al., Magn. Reson. Med. 46 (2001) 638-651: multiply by the inverse of the Cholesky factor of the
    noise covariance. Coil maps must be estimated from, or treated like, whitened samples.

    Parameters
    ----------
    samples
        Any shape with coils on ``coil_axis``.
    noise
        Noise-only samples with the coils on the same axis, or (coils, samples).
    coil_axis
        Axis of the coils in ``samples``.

    Raises
    ------
    InputError
        If the coil counts differ, or the noise of a coil is zero or a copy of another's.
    """
    from scipy.linalg import solve_triangular

    noise = np.asarray(noise)
    covariance = noise_covariance(noise, coil_axis if noise.ndim == samples.ndim else 0)
    moved = np.moveaxis(samples, coil_axis, 0)
    if len(moved) != len(covariance):
        raise InputError(f"The noise scan has {len(covariance)} coils but the data have {len(moved)}.")
    spread = np.real(np.diag(covariance))
    # independent of units: judged on the correlation matrix
    scale = np.sqrt(np.outer(spread, spread))
    if (spread <= 0).any() or np.linalg.eigvalsh(covariance / scale)[0] < 1e-9:
        raise InputError("The noise scan cannot be used for prewhitening: a coil is silent or a copy of another one.")
    factor = np.linalg.cholesky(covariance)
    flat = solve_triangular(factor, moved.reshape(len(moved), -1).astype(np.complex128), lower=True)
    return np.asarray(np.moveaxis(flat.reshape(moved.shape), 0, coil_axis), np.complex64)
