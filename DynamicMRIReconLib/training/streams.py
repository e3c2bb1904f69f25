"""An endless stream of clips of randomised phantoms; which clip comes at which number depends on nothing else."""

from __future__ import annotations

import numpy as np

from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.phantoms.recent import Recent
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.config import Phantoms

#: first seed of the persons of each use; seeds from 1 to 999,999 are left to tests and to users
FIRST_SEED = {"training": 10_000_000, "validation": 1_000_000}


class PhantomStream:
    """Clips of ever new persons.

    Parameters
    ----------
    settings
        Which phantom, its frame times, how often a person is used.
    use
        ``training`` or ``validation``: their persons have different seeds.
    seed
        Of the training: shifts the seeds of the training persons, not those of validation.
    """

    def __init__(self, settings: Phantoms, use: str, seed: int = 0) -> None:
        self.settings = settings
        self.weight = settings.weight
        self.name = f"phantom {settings.name}"
        # A million persons lie between the seeds of two trainings.
        self._first = FIRST_SEED[use] + (1_000_000 * seed if use == "training" else 0)
        self._reuse = settings.reuse if use == "training" else 1
        self._pool = settings.pool if use == "training" else 1
        self._scenes: Recent[phantoms.Scene] = Recent(2 * settings.pool)
        self._beats: Recent[Clip] = Recent(2 * settings.pool)

    def person(self, number: int) -> int:
        """Seed of the phantom of clip ``number``: ``pool`` persons take turns, ``reuse`` times each."""
        group, place = divmod(number, self._pool * self._reuse)
        return self._first + group * self._pool + place % self._pool

    def clip(self, number: int, frames: int, matrix: int, random: np.random.Generator) -> Clip:
        """Clip ``number``: ``frames`` frames of ``matrix x matrix`` at a random time, cut from the middle."""
        seed = self.person(number)
        scene = self._scenes.get(seed, lambda: phantoms.get(self.settings.name, seed))
        if self.settings.cyclic:
            return self._beats.get((seed, matrix), lambda: self._beat(scene, seed, matrix))
        low, high = self.settings.frame_time_ms
        # Uniform on a logarithmic scale: fast and slow motion alike.
        frame_time_s = 1e-3 * float(np.exp(random.uniform(np.log(low), np.log(high))))
        start_s = float(random.uniform(0, 4 * scene.duration_s))
        times_s = start_s + frame_time_s * np.arange(frames)
        side = max(matrix, round(matrix / self.settings.middle))
        cut = slice((side - matrix) // 2, (side - matrix) // 2 + matrix)
        images = np.abs(scene.render(times_s, (1, side, side))[:, 0, cut, cut])
        return Clip.of(images, times_s - start_s, f"{self.name}, seed {seed}, {start_s:.3f} s")

    def _beat(self, scene: phantoms.Scene, seed: int, matrix: int) -> Clip:
        """One whole beat; its frame time belongs to the person, so that it is rendered once."""
        low, high = np.log(self.settings.frame_time_ms)
        frame_time_s = 1e-3 * float(np.exp(np.random.default_rng(seed).uniform(low, high)))
        count = max(2, round(scene.duration_s / frame_time_s))
        times_s = scene.duration_s / count * np.arange(count)
        images = np.abs(scene.render(times_s, (1, matrix, matrix))[:, 0])
        return Clip.of(images, times_s, f"{self.name}, seed {seed}, one beat", cyclic=True)
