"""How much longer it will take."""

from __future__ import annotations


class RemainingTime:
    """Estimates the seconds left from how fast the fraction done has grown lately.

    Recent steps weigh more (each new one a third), so that a slow start, such as loading libraries, is soon forgotten.

    Parameters
    ----------
    started_s
        Clock reading at the start.
    guess_s
        Seconds expected for the whole, used until there is a measurement; None when unknown.
    """

    def __init__(self, started_s: float, guess_s: float | None = None) -> None:
        self._guess_s = guess_s
        self._started_s = started_s
        self._last: tuple[float, float] | None = None
        self._speed: float | None = None

    def update(self, fraction: float, now_s: float) -> float | None:
        """Seconds left at clock reading ``now_s`` with ``fraction`` (0..1) done; None while nobody can tell."""
        if fraction >= 1.0:
            return 0.0
        if self._last is None:
            self._last = (fraction, now_s)
        elif fraction > self._last[0] and now_s > self._last[1]:
            speed = (fraction - self._last[0]) / (now_s - self._last[1])
            self._speed = speed if self._speed is None else self._speed + (speed - self._speed) / 3
            self._last = (fraction, now_s)
        if self._speed is None:
            left = -1.0 if self._guess_s is None else self._guess_s - (now_s - self._started_s)
            return left if left > 0 else None
        left = (1.0 - self._last[0]) / self._speed - (now_s - self._last[1])
        if left > 0:
            return left
        # it takes longer than it did lately: the mean since the start knows better than "no time left"
        done = self._last[0]
        return (1.0 - done) / done * (now_s - self._started_s) if done > 0 else None
