"""What a method says of a case beforehand, from the sizes in the headers of the data's files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from estimates_parts.cases import Case
from estimates_parts.data import files_of
from estimates_parts.measure import Measured
from numpy.lib import format as npy

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.jobs.stand_in import unchecked
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Estimate
from DynamicMRIReconLib.methods.common import speed

_SMALL = ("affine", "times_s", "image_shape")


def estimated(case: Case, found: Measured, folder: Path) -> Estimate:
    """The estimate on the computer as it was when ``found`` was measured."""
    data: Any = [_sizes_of(path) for path in files_of(case.data, folder)]
    method = registry.get(case.method)
    parameters = method.parameters(case.preset, **case.parameters)
    with (
        patch.object(speed, "transform_speed", lambda: found.transform_speed),
        patch.object(speed, "network_speed", lambda: found.network_speed),
    ):
        return method.estimate(data if len(data) > 1 else data[0], parameters, "cpu")


def _sizes_of(path: Path) -> Any:
    """Data as large as those in the file, whose large arrays are not read."""
    found: dict[str, Any] = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            with archive.open(member) as file:
                if name in _SMALL:
                    found[name] = npy.read_array(file)
                    continue
                npy.read_magic(file)
                shape, _, dtype = npy.read_array_header_1_0(file)
                found[name] = np.broadcast_to(np.zeros((), dtype), shape)
    common = {"affine": found["affine"], "times_s": found["times_s"], "metadata": {}}
    if "array" in found:
        return unchecked(ImageSeries, array=found["array"], synthetic=found["synthetic"], parts={}, **common)
    shape = tuple(int(n) for n in found.get("image_shape", found["samples"].shape[2:]))
    arrays = {name: found.get(name) for name in ("samples", "trajectory", "mask", "density", "coil_maps")}
    return unchecked(KSpace, image_shape=shape, **arrays, **common)
