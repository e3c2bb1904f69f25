"""Random speech as articulator positions over time: overlapping gestures towards phonetic targets.

Each segment (consonant, vowel, consonant, ...) pulls only the articulators that it needs, with a smooth activation that
reaches into its neighbours, as in task-dynamic models of coarticulation (Saltzman and Munhall, Ecol Psychol 1, 1989).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.phantoms.recent import Recent

Segment = tuple[float, NDArray[np.float64], NDArray[np.float64]]

ARTICULATORS = ("jaw", "lips", "round", "tip", "front", "back", "low", "velum")

# Targets in [0, 1] (front and back in [-1, 1]); articulators not named are left to the neighbouring segments.
_VOWELS: dict[str, dict[str, float]] = {
    "a": {"jaw": 1.0, "front": -0.6, "back": -0.3, "low": 1.0, "round": 0.0},
    "i": {"jaw": 0.25, "front": 1.0, "back": 0.0, "low": 0.0, "round": 0.0},
    "u": {"jaw": 0.25, "front": -0.3, "back": 1.0, "low": 0.0, "round": 1.0},
    "e": {"jaw": 0.5, "front": 0.55, "back": 0.0, "low": 0.1, "round": 0.0},
    "o": {"jaw": 0.55, "front": -0.4, "back": 0.55, "low": 0.5, "round": 0.8},
}
_CONSONANTS: dict[str, dict[str, float]] = {
    "t": {"tip": 1.0, "jaw": 0.15, "velum": 0.0},
    "n": {"tip": 1.0, "jaw": 0.2, "velum": 1.0},
    "s": {"tip": 0.85, "jaw": 0.05, "velum": 0.0},
    "l": {"tip": 0.95, "jaw": 0.3},
    "k": {"back": 1.25, "jaw": 0.3, "velum": 0.0},
    "p": {"lips": 1.0, "jaw": 0.2, "velum": 0.0},
    "m": {"lips": 1.0, "jaw": 0.2, "velum": 1.0},
}
_PAUSE = {"jaw": 0.1, "lips": 0.3, "round": 0.0, "tip": 0.1, "front": 0.1, "back": 0.0, "low": 0.0, "velum": 1.0}
_AT_REST = {"jaw": 0.25, "lips": 0.0, "round": 0.2, "tip": 0.0, "front": 0.0, "back": 0.0, "low": 0.1, "velum": 0.15}
_REST_WEIGHT = 0.12
_REACH = 1.6  # half-width of an activation, in segments
_NEIGHBOURS = np.arange(-3, 4)


class Utterance:
    """Articulator positions of one speaker at any time.

    Parameters
    ----------
    seed
        Which sequence of syllables.
    segment_s
        Mean length of a segment in seconds (half a syllable).
    effort
        Scales all movements away from rest, about 1.
    """

    def __init__(self, seed: int, segment_s: float, effort: float = 1.0) -> None:
        self.seed, self.segment_s, self.effort = seed, segment_s, effort
        self._segments: Recent[Segment] = Recent(512)
        self._rest = np.array([_AT_REST[name] for name in ARTICULATORS])

    def positions(self, times_s: ArrayLike) -> NDArray[np.float64]:
        """(T, 8) positions in the order of ``ARTICULATORS``, smooth in time."""
        times = np.atleast_1d(np.asarray(times_s, float)) / self.segment_s
        out = np.empty((len(times), len(ARTICULATORS)))
        for row, time in enumerate(times):
            total = np.full(len(ARTICULATORS), _REST_WEIGHT)
            pulled = _REST_WEIGHT * self._rest
            for index in (int(np.floor(time)) + _NEIGHBOURS).tolist():
                centre, weights, targets = self._segments.get(index, partial(self._draw_segment, index))
                distance = abs(time - centre)
                if distance < _REACH:
                    pull = weights * np.cos(np.pi / 2 * distance / _REACH) ** 4
                    total = total + pull
                    pulled = pulled + pull * targets
            out[row] = self._rest + self.effort * (pulled / total - self._rest)
        return out

    def segments(self, start_s: float, end_s: float) -> list[tuple[float, float, str]]:
        """Start, end and symbol of what is said from ``start_s`` to ``end_s``; the symbol of a pause is empty."""
        first, last = int(np.floor(start_s / self.segment_s)), int(np.ceil(end_s / self.segment_s))
        return [
            (max(start_s, index * self.segment_s), min(end_s, (index + 1) * self.segment_s), self._symbol(index)[0])
            for index in range(first, last)
        ]

    def _symbol(self, index: int) -> tuple[str, np.random.Generator]:
        """What is said in a segment, empty in a pause; and the random numbers that go on from there."""
        rng = np.random.default_rng([self.seed, index & 0xFFFFFFFF])
        if np.random.default_rng([self.seed, (index // 2) & 0xFFFFFFFF, 7]).uniform() < 0.08:
            return "", rng
        return str(rng.choice(sorted(_VOWELS if index % 2 == 1 else _CONSONANTS))), rng

    def _draw_segment(self, index: int) -> Segment:
        """Centre in segments, weights and targets of the articulators."""
        symbol, rng = self._symbol(index)
        is_vowel, paused = index % 2 == 1, not symbol
        wanted = _PAUSE if paused else (_VOWELS if is_vowel else _CONSONANTS)[symbol]
        strength = (1.0 if is_vowel else 1.8) * rng.uniform(0.85, 1.15)
        weights = np.array([strength if name in wanted else 0.0 for name in ARTICULATORS])
        if is_vowel and not paused:  # vowels let go of lips and tongue tip, and keep the velum up
            weights += strength * np.array([0.6 if name in ("lips", "tip", "velum") else 0.0 for name in ARTICULATORS])
        targets = np.array([wanted.get(name, 0.0) for name in ARTICULATORS]) * rng.uniform(0.88, 1.08)
        return index + 0.5 + rng.uniform(-0.12, 0.12), weights, targets
