"""Long speech series: a simulated scan of a few frames, repeated until it is as long as wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import io, phantoms, spool
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace

SIDE, FRAME_S = 84, 0.012
#: frames that are simulated
PERIOD = 40


def radial(frames: int, coils: int) -> KSpace:
    """13 spokes a frame at the golden angle, ``coils`` receive channels."""
    scan, _ = _simulated("radial", coils)
    return _long_kspace(scan, frames)


def cartesian(frames: int, coils: int) -> KSpace:
    """A third of the lines, other ones in each frame."""
    scan, _ = _simulated("cartesian", coils)
    return _long_kspace(scan, frames)


def series(frames: int) -> ImageSeries:
    """Magnitudes."""
    _, truth = _simulated("cartesian", 1)
    images = _repeated(truth.magnitude().array, frames)
    return ImageSeries(images, truth.affine, FRAME_S * np.arange(frames))


def write(path: Path, kind: str, frames: int, coils: int = 1) -> None:
    """Write one of these: ``radial``, ``cartesian`` or ``series``."""
    io.write(path, series(frames) if kind == "series" else globals()[kind](frames, coils))


def _simulated(trajectory: str, coils: int) -> tuple[KSpace, ImageSeries]:
    settings = {"trajectory": trajectory, "matrix": SIDE, "frames": PERIOD, "coils": coils, "duration_s": 2.0}
    return simulate(phantoms.get("vocal-tract"), SimulationParameters(acceleration=3.0, times_per_frame=1, **settings))


def _repeated(array: NDArray, frames: int) -> NDArray:
    out = spool.empty((frames, *array.shape[1:]), array.dtype)
    for part in spool.blocks(out):
        out[part] = array[np.arange(part.start, part.stop) % len(array)]
    return out


def _long_kspace(scan: KSpace, frames: int) -> KSpace:
    named = {name: getattr(scan, name) for name in ("trajectory", "mask") if getattr(scan, name) is not None}
    rest = {name: _repeated(array, frames) for name, array in named.items()}
    times = FRAME_S * np.arange(frames)
    return KSpace(_repeated(scan.samples, frames), scan.affine, times, image_shape=scan.image_shape, **rest)
