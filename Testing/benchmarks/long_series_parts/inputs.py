"""Long speech series: a simulated scan of a few frames, repeated until it is as long as wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import io, spool
from DynamicMRIReconLib.acquisition.simulate import SimulationParameters, simulate
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

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


def line_ras_mm() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of a line from the palate through the tongue."""
    return VocalTractScene().profile_line_ras_mm


def write(path: Path, kind: str, frames: int, coils: int = 1) -> None:
    """Write one of these: ``radial``, ``cartesian`` or ``series``."""
    kspace = {"radial": radial, "cartesian": cartesian}
    io.write(path, kspace[kind](frames, coils) if kind in kspace else series(frames))


def _simulated(trajectory: str, coils: int) -> tuple[KSpace, ImageSeries]:
    settings: dict[str, Any] = {"trajectory": trajectory, "matrix": SIDE, "frames": PERIOD, "coils": coils}
    parameters = SimulationParameters(acceleration=3.0, times_per_frame=1, duration_s=2.0, **settings)
    return simulate(VocalTractScene(), parameters)


def _repeated(array: NDArray[Any], frames: int) -> NDArray[Any]:
    out = spool.empty((frames, *array.shape[1:]), array.dtype)
    for part in spool.blocks(out):
        out[part] = array[np.arange(part.start, part.stop) % len(array)]
    return out


def _long_kspace(scan: KSpace, frames: int) -> KSpace:
    named = {name: getattr(scan, name) for name in ("trajectory", "mask") if getattr(scan, name) is not None}
    rest = {name: _repeated(array, frames) for name, array in named.items()}
    times = FRAME_S * np.arange(frames)
    return KSpace(_repeated(scan.samples, frames), scan.affine, times, image_shape=scan.image_shape, **rest)
