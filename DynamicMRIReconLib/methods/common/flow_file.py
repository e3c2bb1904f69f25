"""Motion between frames as a file: a sequence of vector fields in millimetres that 3D Slicer and ITK read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.io.series_times import index_texts, unit_for
from DynamicMRIReconLib.methods.common.side_files import check_side_file

SUFFIX = ".seq.nrrd"
#: key of the header that says what the vectors are, and by which a file is known as one of these
MEANING_KEY = "DynamicMRIRecon.vectors"
MEANING = (
    "displacement in mm along left, posterior, superior of what is at the voxel half-way between two frames, from the "
    "first to the second"
)


def check_target(path: Path) -> None:
    """Refuse to write to ``path`` before the flow is computed; see ``check_side_file``."""
    check_side_file("save_flow", path, SUFFIX, "flow that this program wrote", _is_flow)


def millimetres(displacement: NDArray[np.float32], affine: NDArray[np.float64]) -> NDArray[np.float32]:
    """(..., 2) voxels along x, y -> (..., 3) mm along left, posterior, superior."""
    to_lps = np.diag([-1.0, -1.0, 1.0]) @ affine[:3, :2]
    return np.asarray(displacement @ to_lps.T, np.float32)


def write_flow(path: Path, vectors: NDArray[np.float32], series: ImageSeries, not_moving: list[int]) -> None:
    """Write (pairs, z, y, x, 3) ``vectors`` in mm, LPS, at the middle of the frame times of ``series``.

    ``not_moving`` are the pairs (number of their first frame) that were not looked at; their vectors are 0.
    """
    from DynamicMRIReconLib.io.atomic import atomic_files
    from DynamicMRIReconLib.io.nrrd_data import write_file

    times = (series.times_s[:-1] + series.times_s[1:]) / 2
    unit = unit_for(times)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ series.affine + 0.0
    none = np.full(3, np.nan)
    header = {
        "space": "left-posterior-superior",
        "encoding": "gzip",
        "space origin": affine[:3, 3],
        "space directions": np.vstack([none, affine[:3, :3].T, none]),
        "kinds": ["vector", "domain", "domain", "domain", "list"],
        "labels": ["displacement", "", "", "", "time"],
        "units": ["mm", "", "", "", unit],
        "measurement frame": np.eye(3),
        "DataNodeClassName": "vtkMRMLVectorVolumeNode",
        MEANING_KEY: MEANING,
    }
    # 3D Slicer counts the axes without that of the vector's components
    for axis in (3, 4):
        header[f"axis {axis} index type"] = "numeric"
        header[f"axis {axis} index values"] = " ".join(index_texts(times, unit))
    if not_moving:
        header["DynamicMRIRecon.not_interpolated"] = " ".join(map(str, not_moving))
    with atomic_files([path], [SUFFIX]) as (temporary,):
        write_file(temporary, vectors, header, level=3)


def _is_flow(path: Path) -> bool:
    import nrrd

    try:
        header = nrrd.read_header(str(path))
    except (nrrd.NRRDError, OSError, ValueError):
        return False
    return MEANING_KEY in header
