"""Noise prewhitening of the receive channels from an acquisition's noise scans."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool

# Below this, chance makes the estimated covariance singular.
MINIMUM_SAMPLES_PER_COIL = 4
TOO_LITTLE_NOISE = "The noise scans are too short, or hold no noise, to tell the noise covariance: not prewhitened."


def prewhitening_notes(matrix: NDArray[np.complex64]) -> dict[str, Any]:
    """What the metadata of k-space whitened by ``matrix`` say."""
    return {"prewhitened": True, "prewhitening": {"real": matrix.real.tolist(), "imag": matrix.imag.tolist()}}


def whitening_matrix(noise: NDArray[np.complex64]) -> NDArray[np.complex64] | None:
    """Matrix W (coils, coils) for which ``W @ noise`` has about unit covariance, from noise samples (coils, n).

    W is the inverse of the lower Cholesky factor of the noise covariance (Pruessmann et al., Magn Reson Med 46:638,
    2001, appendix A). The covariance is the shrinkage estimate of Ledoit and Wolf (J Multivar Anal 88:365, 2004),
    because one short noise scan would else mix equal, uncorrelated channels by chance. None when the scans cannot tell
    the covariance: too few samples, or no noise in them.
    """
    coils, count = noise.shape
    if count < MINIMUM_SAMPLES_PER_COIL * coils:
        return None
    centred = noise.astype(np.complex128)
    centred -= centred.mean(axis=1, keepdims=True)
    sample = centred @ centred.conj().T / count
    power = float(np.trace(sample).real) / coils
    if not power > 0:
        return None
    spread = float(np.linalg.norm(sample - power * np.eye(coils)) ** 2)
    fourth = float(np.mean(np.sum(np.abs(centred) ** 2, axis=0) ** 2))
    chance = max(0.0, fourth - float(np.linalg.norm(sample) ** 2)) / count
    shrinkage = 1.0 if spread <= 0 else min(1.0, chance / spread)
    covariance = shrinkage * power * np.eye(coils) + (1 - shrinkage) * sample
    if not np.linalg.eigvalsh(covariance)[0] > 1e-8 * power:
        return None
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)), np.complex64)


def whiten(samples: NDArray[np.complex64], matrix: NDArray[np.complex64], coil_axis: int = 1) -> NDArray[np.complex64]:
    """Apply ``matrix`` (coils, coils) along ``coil_axis`` of ``samples``."""

    def whitened(block: NDArray[np.complex64]) -> NDArray[np.complex64]:
        return np.moveaxis(np.tensordot(matrix, block, axes=(1, coil_axis)), 0, coil_axis)

    # blocks are of the first axis: all coils must be in each
    return spool.mapped(whitened, samples, np.complex64) if coil_axis else np.ascontiguousarray(whitened(samples))
