"""Small scans with a known answer: a bright asymmetric object that moves, measured by a few coils, Cartesian."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.geometry import Geometry

FRAME_TIME_S = 0.0425
#: oblique on purpose: a mistake in an axis or a sign moves the object
ANGLE = np.deg2rad(25.0)
DIRECTIONS = np.array(
    [[-np.cos(ANGLE), 0.0, np.sin(ANGLE)], [0.0, -1.0, 0.0], [np.sin(ANGLE), 0.0, np.cos(ANGLE)]]
)  # fmt: skip


def geometry(size: int) -> Geometry:
    """An oblique grid, 120 mm wide, away from the scanner's centre."""
    spacing = 120.0 / size
    return Geometry.from_parts((spacing, spacing, 8.0), (70.0, 45.0, -30.0), DIRECTIONS)


def images(frames: int = 6, size: int = 32) -> ImageSeries:
    """An ellipse with a bright spot in its upper left; its lower border moves down and up over the frames."""
    y, x = np.mgrid[:size, :size] / size
    phase = np.sin(np.pi * np.arange(frames) / frames)
    array = np.zeros((frames, 1, size, size), np.float32)
    for frame, moved in enumerate(phase):
        lower = 0.55 + 0.2 * moved
        inside = (np.abs(x - 0.5) < 0.3) & (y > 0.2) & (y < lower)
        array[frame, 0] = 100.0 * inside + 150.0 * (np.hypot(x - 0.35, y - 0.3) < 0.08)
    times_s = 0.1 + FRAME_TIME_S * np.arange(frames)
    return ImageSeries(array, geometry(size).affine, times_s, metadata={"source": "test object"})


def _coil_maps(coils: int, size: int) -> NDArray[np.complex64]:
    y, x = np.mgrid[:size, :size] / size - 0.5
    angles = 2 * np.pi * np.arange(coils) / coils
    maps = [np.exp(-((x - 0.6 * np.cos(a)) ** 2) - (y - 0.6 * np.sin(a)) ** 2 + 1j * a) for a in angles]
    stacked = np.stack(maps)[:, None]
    return (stacked / np.sqrt((np.abs(stacked) ** 2).sum(axis=0))).astype(np.complex64)


def kspace(frames: int = 6, size: int = 32, coils: int = 4) -> KSpace:
    """Fully sampled k-space of ``images``."""
    series = images(frames, size)
    weighted = series.array[:, None] * _coil_maps(coils, size)[None]
    centred = np.fft.ifftshift(weighted, axes=(-2, -1))
    samples = np.fft.fftshift(np.fft.fft2(centred, norm="ortho"), axes=(-2, -1)).astype(np.complex64)
    return KSpace(samples, series.affine, series.times_s, metadata={"source": "test object"})


def write_scan(path: Path, frames: int = 6, size: int = 32, coils: int = 4) -> Path:
    """The k-space as a file that the program reads."""
    return io.write(path, kspace(frames, size, coils))
