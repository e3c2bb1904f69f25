"""Beating hearts with a known phase, as series."""

from __future__ import annotations

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.phantoms.heart import HeartScene


def heart(seed: int = 0, frames: int = 20, beats: float = 1.0, start: float = 0.0, size: int = 96) -> ImageSeries:
    """``frames`` frames over ``beats`` heartbeats that begin at phase ``start`` (0 is the R wave)."""
    scene = HeartScene(seed, respiration_mm=0)
    times = scene.cycle.period_s * (start + beats / frames * np.arange(frames))
    array = np.abs(scene.render(times, (1, size, size)))
    return ImageSeries(array, scene.geometry((1, size, size)).affine, times - times[0] + 0.01)
