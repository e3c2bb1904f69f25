"""Smooth random fields defined in millimetres: any grid samples the same field.

A field is a sum of plane waves of random direction and phase with wavelengths about a given one (the spectral method
of simulating Gaussian random fields; Shinozuka and Deodatis, Appl Mech Rev 44, 1991).
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray


class RandomField:
    """Zero mean, unit variance field in 2 or 3 dimensions.

    Parameters
    ----------
    rng
        Source of the wave vectors and phases.
    wavelength_mm
        Mean wavelength.
    spread
        Relative half-range of the wavelengths around the mean, in [0, 1).
    waves
        Number of plane waves.
    dimensions
        2 or 3.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        wavelength_mm: float,
        spread: float = 0.5,
        waves: int = 24,
        dimensions: int = 2,
    ) -> None:
        direction = rng.normal(size=(waves, dimensions))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        lengths = wavelength_mm * (1 + spread * rng.uniform(-1, 1, (waves, 1)))
        self.k = direction * 2 * np.pi / lengths
        self.phase = rng.uniform(0, 2 * np.pi, waves)
        self.amplitude = np.full(waves, np.sqrt(2 / waves))

    def plane(
        self,
        x_mm: NDArray[Any],
        y_mm: NDArray[Any],
        offset_mm: tuple[float, ...] = (0.0, 0.0),
        scale: float = 1.0,
    ) -> NDArray[np.float32]:
        """Values (len(y), len(x)) of the field carried by tissue that moved by ``offset_mm`` and grew by ``scale``.

        In 3-D the third number of ``offset_mm`` is minus the z of the plane.
        """
        k = self.k / scale
        phase = self.phase - k[:, : len(offset_mm)] @ np.asarray(offset_mm)
        across = np.asarray(x_mm, np.float32)[:, None] * k[:, 0].astype(np.float32)
        down = np.asarray(y_mm, np.float32)[:, None] * k[:, 1].astype(np.float32) + phase.astype(np.float32)
        weights = np.tile(self.amplitude.astype(np.float32), 2)
        left = np.concatenate([np.cos(down), -np.sin(down)], axis=1) * weights
        right = np.concatenate([np.cos(across), np.sin(across)], axis=1)
        return np.asarray(left @ right.T, np.float32)

    def derivative(self, axis: int) -> RandomField:
        """The field's derivative per mm along an axis (0 = x)."""
        other = copy(self)
        other.phase = self.phase + np.pi / 2
        other.amplitude = self.amplitude * self.k[:, axis]
        return other
