"""The project's own plain file: .npz with the fields of ``KSpace`` or ``ImageSeries`` as arrays.

k-space: ``samples`` and as needed ``mask``, ``trajectory``, ``coil_maps``, ``density``, ``image_shape``, ``affine``,
``times_s``; a series: ``array``, ``affine``, ``times_s``, ``synthetic``, and its parts as ``parts/NAME``; both:
``metadata``, a JSON text. Raw k-space may bring ``noise`` (coils, samples), a noise scan: it whitens the channels of
samples and coil maps as it is read, as the noise scans of an ISMRMRD file do, and is not kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.arrays import from_named, from_unnamed, to_named
from DynamicMRIReconLib.io.numpy_files import load_npz, save_npz
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.variables import choose_variable

NAME = "NumPy archive"
SUFFIXES = (".npz",)
KEEPS_PARTS = True
OPTIONS = ("axes", "coil_maps", "trajectory", "variable", "shots_per_frame")


def read(path: Path, options: ReadOptions) -> KSpace | ImageSeries:
    """Read a file of ours, or one array of another with ``options.axes`` (and ``options.variable``).

    Raises
    ------
    InputError
        The file is damaged or does not say which axis is which.
    """
    arrays = load_npz(path)
    if options.axes is None and options.variable is None:
        data = from_named(arrays, path.name)
        if data is not None:
            return data
    return from_unnamed(choose_variable(arrays, options.variable, path.name), options, path.name, arrays)


def write(path: Path, data: Any) -> None:
    """Write k-space or a series with everything it holds.

    Raises
    ------
    InputError
        ``data`` is a list of stacks.
    """
    if not isinstance(data, KSpace | ImageSeries):
        raise InputError("A .npz file holds k-space or one series: write each stack to a file of its own.")
    with path.open("wb") as file:
        save_npz(file, to_named(data))
