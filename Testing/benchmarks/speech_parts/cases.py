"""What is reconstructed: persons and frames that no training has seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import phantoms
from DynamicMRIReconLib.acquisition.masks import named_spiral_mask
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.operators.fourier import fft2c
from DynamicMRIReconLib.training.augmentation import random_phase
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.series_files import resized

MASKS = ("arms6_1", "arms6_2", "arms6_6")
#: seeds that training and validation never use (training/streams.py)
FIRST_PERSON = 500_000
#: training has frames 0 to 135 of the real series, validation 144 to 159
REAL_FRAMES = slice(168, 252)
REAL_FRAME_S = 1 / 41.64
#: from the hard palate down through the tongue, in parts of the image's side: x, y
REAL_LINE = ((0.5, 0.3), (0.5, 0.65))
#: radians, as in training
PHASE = 0.5


@dataclass(frozen=True)
class Case:
    """Frames (T, N, N) in [0, 1] at times (T,) in seconds, and where they lie."""

    title: str
    frames: NDArray[np.float32]
    times_s: NDArray[np.float64]
    affine: NDArray[np.float64]
    line_ras_mm: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    one_phase: bool = True
    #: no: a voxel counts as 1 mm, and lengths are not reported
    knows_millimetres: bool = True

    def series(self, frames: NDArray[np.float32] | None = None, step: int = 1) -> ImageSeries:
        """These frames, or ``frames`` in their place, every ``step``-th."""
        array = self.frames if frames is None else frames
        return ImageSeries(array[::step, None], self.affine, self.times_s[::step])

    def measured(self, mask: str) -> KSpace:
        """k-space of the frames, with one phase or each with its own, sampled at ``mask`` only."""
        n = self.frames.shape[-1]
        sampled = named_spiral_mask(mask, n)
        images = torch.stack(
            [
                torch.from_numpy(f) * random_phase((n, n), np.random.default_rng(0 if self.one_phase else t), PHASE)
                for t, f in enumerate(self.frames)
            ]
        )
        samples = torch.where(torch.from_numpy(sampled), fft2c(images.to(torch.complex64)), 0)
        return KSpace(
            samples.numpy()[:, None, None],
            self.affine,
            self.times_s,
            mask=np.broadcast_to(sampled, (len(images), 1, n, n)).copy(),
            coil_maps=np.ones((1, 1, n, n), np.complex64),
        )


def persons(matrix: int, count: int) -> Case:
    """One frame each of ``count`` randomised vocal tracts."""
    frames = []
    for seed in range(FIRST_PERSON, FIRST_PERSON + count):
        image = np.abs(phantoms.get("vocal-tract", seed).render([1.3], (1, matrix, matrix))[:, 0])
        frames.append(Clip.of(image, np.zeros(1), str(seed)).frames[0].numpy())
    return Case(f"{count} phantoms, a frame each", np.stack(frames), 0.1 * np.arange(count), np.eye(4), one_phase=False)


def speaking(matrix: int, person: int, frame_s: float, count: int) -> Case:
    """``count`` frames of one randomised vocal tract, and the line across its tongue."""
    scene = phantoms.get("vocal-tract", FIRST_PERSON + person)
    times = 0.2 + frame_s * np.arange(count)
    clip = Clip.of(np.abs(scene.render(times, (1, matrix, matrix))[:, 0]), times, str(person))
    line = scene.profile_line_ras_mm  # type: ignore[attr-defined]
    title = f"phantom {FIRST_PERSON + person}, {1e3 * frame_s:.0f} ms a frame"
    return Case(title, clip.frames.numpy(), times, scene.geometry((1, matrix, matrix)).affine, line)


def real(folder: Path, matrix: int, step: int = 1) -> Case:
    """The last third of the real series, every ``step``-th frame."""
    series = dmr.read(folder / "cropped_panels.npz", axes="frames,y,x", variable="with_correction")
    frames = resized(series.array[REAL_FRAMES, 0].astype(np.float32), matrix)
    times = REAL_FRAME_S * np.arange(len(frames))
    clip = Clip.of(frames, times, "real")
    start, end = (np.array([x * matrix, y * matrix, 0.0]) for x, y in REAL_LINE)
    title = "real speech, frames 168 to 251"
    frames = clip.frames.numpy()[::step]
    return Case(title, frames, times[::step], np.eye(4), (start, end), knows_millimetres=False)
