"""What is made finer: slices, a view and hearts that no training has seen, prepared as the published data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.degradation import cropped_to_multiple, degraded
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.phantoms.heart import HeartScene

#: folders of the short-axis cine whose slices are in no training
HELD_OUT = ("SCD2001_002", "SCD2001_006", "SCD2001_008")
#: seeds that training and validation never use (training/streams.py)
FIRST_PERSON = 500_000
#: of the cumulative histogram, as published: what is brighter is cut off
BRIGHT_PERCENT = 99.5
MULTIPLE = 12


@dataclass(frozen=True)
class Case:
    """Fine frames (T, z, y, x) in whole numbers from 0 to 255, and their times (T,) in seconds."""

    title: str
    fine: NDArray[np.float32]
    times_s: NDArray[np.float64]
    trigger: bool = False

    def coarse(self, scale: int) -> ImageSeries:
        """The same made coarser, in a place of its own."""
        affine = np.diag([scale, scale, 8.0, 1.0])
        metadata = {"times_from": "TriggerTime"} if self.trigger else {}
        return ImageSeries(degraded(self.fine, scale, rounded=True), affine, self.times_s, metadata=metadata)


def _case(title: str, array: NDArray[np.float32], times_s: NDArray[np.float64], *, trigger: bool = False) -> Case:
    top = float(np.percentile(array, BRIGHT_PERCENT))
    low = float(array.min())
    whole = np.rint(255 * (np.clip(array, low, top) - low) / (top - low)).astype(np.float32)
    return Case(title, cropped_to_multiple(whole, MULTIPLE), times_s, trigger)


def short_axis(data: Path) -> Case:
    """Three slices of the real short-axis cine."""
    slices = [dmr.read(data / "cine_sax_dicom" / name) for name in HELD_OUT]
    array = np.concatenate([one.array for one in slices], axis=1)
    return _case("short-axis cine, held-out slices", array, slices[0].times_s, trigger=True)


def four_chambers(data: Path) -> Case:
    """The real four-chamber cine of about three beats; its frame time is unknown, 0.1 s stands in."""
    array = np.load(data / "cine_4ch" / "cardiac.npy")[:, None]
    return _case("four-chamber cine", array, 0.1 * np.arange(len(array)))


def hearts(count: int, matrix: int = 256, frames: int = 20) -> Case:
    """A beat each of ``count`` randomised hearts, as slices of one series with a common phase."""
    images = []
    for seed in range(FIRST_PERSON, FIRST_PERSON + count):
        scene = HeartScene(seed)
        times = scene.duration_s / frames * np.arange(frames)
        images.append(np.abs(scene.render(times, (1, matrix, matrix))))
    return _case(f"{count} phantoms", np.concatenate(images, axis=1), 0.05 * np.arange(frames))
