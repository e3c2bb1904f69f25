"""Receiver noise for simulated acquisitions; ``io.prewhitening`` treats that of measured ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError


def complex_noise(shape: tuple[int, ...], sd: float, seed: int = 0) -> NDArray[np.complex64]:
    """Circular complex Gaussian noise n with ``E|n|**2 = sd**2``: real and imaginary part each of sd / sqrt(2)."""
    if not (np.isfinite(sd) and sd >= 0):
        raise InputError(f"The standard deviation of noise must be 0 or more, not {sd:g}.")
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(sd / np.sqrt(2))
    noise: NDArray[np.complex64] = parts.view(np.complex64)[..., 0]
    return noise
