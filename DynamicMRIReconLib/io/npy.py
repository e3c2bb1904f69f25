"""NumPy .npy: one array, whose axes the user names."""

from __future__ import annotations

from pathlib import Path

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.io.arrays import from_unnamed
from DynamicMRIReconLib.io.numpy_files import load_npy
from DynamicMRIReconLib.io.options import ReadOptions

NAME = "NumPy array"
SUFFIXES = (".npy",)
OPTIONS = ("axes", "coil_maps", "trajectory", "shots_per_frame")


def read(path: Path, options: ReadOptions) -> KSpace | ImageSeries:
    """Read k-space or a series; ``options.axes`` says which axis is which.

    Raises
    ------
    InputError
        The file is damaged, the axes are missing or do not fit.
    """
    return from_unnamed(load_npy(path), options, path.name)
