"""What is reconstructed: slices, a view and persons that no training has seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.birdcage import birdcage_maps
from DynamicMRIReconLib.acquisition.masks import variable_density_mask
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.operators.fourier import fft2c
from DynamicMRIReconLib.training.augmentation import random_phase
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.series_files import resized
from DynamicMRIReconLib.training.undersampling import CENTRAL_SHARE

#: training has slices 000 to 002, 009 and 010, validation 003; the nearest of them is 16 mm away
TEST_SLICES = ("SCD2001_004", "SCD2001_006", "SCD2001_007")
#: seeds that training and validation never use (training/streams.py)
FIRST_PERSON = 500_000
FRAMES, FRAME_S = 20, 0.05
#: share of the side that is seen: of the real slices, and of the phantoms (Resources/Training/cnn3d-cine.toml)
REAL_MIDDLE, PHANTOM_MIDDLE = 0.5, 0.6
#: radians, as in training
PHASE = 0.5


@dataclass(frozen=True)
class Case:
    """Frames (T, N, N) in [0, 1] at times (T,) in seconds; what kind they are, and how many coils see them."""

    title: str
    group: str
    frames: NDArray[np.float32]
    times_s: NDArray[np.float64]
    coils: int = 1

    def measured(self, acceleration: float) -> KSpace:
        """k-space with a smooth phase, other lines in each frame, no noise; the same for every method."""
        frames, n, _ = self.frames.shape
        number = sum(self.title.encode())
        movie = torch.from_numpy(self.frames) * random_phase((n, n), np.random.default_rng(number), PHASE)
        central = round(CENTRAL_SHARE * n)
        mask = variable_density_mask(frames, (1, n, n), acceleration, central, number)
        maps = np.ones((1, 1, n, n), np.complex64)
        if self.coils > 1:
            maps = birdcage_maps(self.coils, (1, n, n))
        samples = fft2c(movie[:, None] * torch.from_numpy(maps[:, 0])).numpy() * mask[:, 0, None]
        return KSpace(samples[:, :, None], np.eye(4), self.times_s, mask=mask, coil_maps=maps)


def slices(folder: Path, matrix: int) -> list[Case]:
    """The middle of the held-out short-axis slices."""
    found = []
    for name in TEST_SLICES:
        series = dmr.read(folder / "cine_sax_dicom" / name)
        frames = series.magnitude().array[:, 0].astype(np.float32)
        side = round(REAL_MIDDLE * frames.shape[-1])
        first = (frames.shape[-1] - side) // 2
        frames = resized(frames[:, first : first + side, first : first + side], matrix)
        clip = Clip.of(frames, series.times_s, name)
        found.append(Case(name, "short axis", clip.frames.numpy(), series.times_s))
    return found


def four_chambers(folder: Path, matrix: int) -> list[Case]:
    """The first 20 frames of the four-chamber cine: another view, person and scanner. Its frame time is not known."""
    frames = np.load(folder / "cine_4ch" / "cardiac.npy")[:FRAMES].astype(np.float32)
    times = FRAME_S * np.arange(FRAMES)
    clip = Clip.of(resized(frames, matrix), times, "four chambers")
    return [Case("cine_4ch", "four chambers", clip.frames.numpy(), times)]


def persons(matrix: int, count: int, coils: int = 1) -> list[Case]:
    """Randomised hearts over a second."""
    found = []
    side = round(matrix / PHANTOM_MIDDLE)
    cut = slice((side - matrix) // 2, (side - matrix) // 2 + matrix)
    for seed in range(FIRST_PERSON, FIRST_PERSON + count):
        times = 0.2 + FRAME_S * np.arange(FRAMES)
        images = np.abs(phantoms.get("heart", seed).render(times, (1, side, side))[:, 0, cut, cut])
        clip = Clip.of(images, times, str(seed))
        group = "phantoms" if coils == 1 else f"phantoms, {coils} coils"
        found.append(Case(f"heart {seed}", group, clip.frames.numpy(), times, coils))
    return found
