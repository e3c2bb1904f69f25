"""Random draws within anatomical ranges, from one seed; seed 0 is the typical person."""

from __future__ import annotations

import numpy as np

from DynamicMRIReconLib.errors import InputError


class Dice:
    """Draws for one scene. Seed 0 gives every nominal value unchanged; textures are random for every seed.

    Parameters
    ----------
    seed
        Whole number, 0 or larger.
    stream
        A word that keeps the draws of different scenes apart.

    Raises
    ------
    InputError
        If the seed is negative or not whole.
    """

    def __init__(self, seed: int, stream: str) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"The seed of a phantom must be a whole number of 0 or more, not {seed!r}.")
        self.seed = int(seed)
        self.rng = np.random.default_rng([self.seed, *stream.encode()])
        self._spread = 0.0 if self.seed == 0 else 1.0

    def about(self, nominal: float, half_range: float) -> float:
        """Uniform in ``nominal +- half_range``; ``nominal`` for seed 0."""
        return float(nominal + self._spread * half_range * self.rng.uniform(-1, 1))

    def jitter(self, points: np.ndarray, half_range: float) -> np.ndarray:
        """``points`` moved each by up to ``half_range`` on every axis; unchanged for seed 0."""
        return points + self._spread * half_range * self.rng.uniform(-1, 1, np.shape(points))
