"""How full the left ventricle is over one heart beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Share of the cycle: ejection from the R wave, early filling, then diastasis, then the atrial kick.
_EJECTION = (0.03, 0.37)
_EARLY_FILLING = (0.40, 0.60)
_ATRIAL_KICK = (0.80, 0.98)


@dataclass(frozen=True)
class CardiacCycle:
    """Contraction over time, cyclic and twice continuously differentiable.

    Attributes
    ----------
    period_s
        Length of a beat.
    early_share
        Part of the filling that happens early (E wave); the atrial kick (A wave) brings the rest.
    """

    period_s: float
    early_share: float = 0.78

    def phase(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """Position in the beat [0, 1), 0 at the R wave."""
        return np.asarray(np.mod(np.asarray(times_s, float) / self.period_s, 1.0))

    def contraction(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """0 at end diastole, 1 at end systole."""
        phase = self.phase(times_s)
        filling = self.early_share * smooth_step(phase, *_EARLY_FILLING)
        kick = (1 - self.early_share) * smooth_step(phase, *_ATRIAL_KICK)
        return np.asarray(smooth_step(phase, *_EJECTION) - filling - kick)

    def flow(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """Speed of the change of contraction, [0, 1]: how turbulent the blood is."""
        step = 1e-3 * self.period_s
        times = np.asarray(times_s, float)
        rate = (self.contraction(times + step) - self.contraction(times - step)) / 2e-3
        return np.asarray(np.clip(np.abs(rate) / 6.0, 0.0, 1.0))


def smooth_step(value: ArrayLike, start: float, end: float) -> NDArray[np.float64]:
    """0 before ``start``, 1 after ``end``, a fifth-order polynomial between with two zero derivatives at both ends."""
    s = np.clip((np.asarray(value, float) - start) / (end - start), 0.0, 1.0)
    return np.asarray(s**3 * (10 - 15 * s + 6 * s * s))
