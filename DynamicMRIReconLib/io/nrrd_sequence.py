"""``.seq.nrrd`` and ``.nrrd``: the format in which 3D Slicer keeps sequences and volumes; the primary output.

Written with the header that Slicer's volume sequence storage writes and reads, so the series plays there at its true
times and positions. A complex series is written as magnitudes, with a note.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconLib.io import nrrd_data, nrrd_header
from DynamicMRIReconLib.io.one_series import one_series
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.series_times import index_texts, unit_for

NAME = "NRRD image series"
SUFFIXES = (".seq.nrrd", ".seq.nhdr", ".nrrd", ".nhdr")
WRITABLE = (".seq.nrrd", ".nrrd")
OPTIONS: tuple[str, ...] = ()

_GZIP_LEVEL = 3


def read(path: Path, options: ReadOptions | None = None) -> ImageSeries:
    """Read a sequence, a 4-D or 3-D image (one frame), in whatever order its axes are.

    Raises
    ------
    InputError
        Damaged file, colour or vector voxels, axes that are not space and time, values that are not finite.
    """
    import nrrd

    try:
        # gzip and text errors come in many classes; all mean the same to the user.
        with path.open("rb") as file:
            _check_data_file(path, nrrd.read_header(file))
        stored, header = nrrd_data.read_file(path)
    except (MemoryError, ReconError):
        raise
    except Exception as error:
        raise InputError(f"{path.name} is not a readable NRRD file: {error}") from error
    warnings: list[str] = []
    axes = nrrd_header.find_axes(header)
    array = _frames_first(stored, axes)
    times = nrrd_header.times_s(header, axes, len(array), warnings)
    affine = nrrd_header.affine(header, axes, warnings)
    metadata = nrrd_header.metadata(header, warnings)
    thickness = nrrd_header.thickness_mm(header, axes)
    if thickness is not None:
        metadata.setdefault("slice_thickness_mm", thickness)
    if warnings:
        metadata["warnings"] = [*metadata.get("warnings", []), *warnings]
    return ImageSeries.from_any_handedness(
        array, affine, times, synthetic=_synthetic(header, axes, len(array)), metadata=metadata
    )


def _check_data_file(path: Path, header: nrrd_header.Header) -> None:
    """The header may send its reader to a device that never ends, or past more lines than there are."""
    name = header.get("data file", header.get("datafile"))
    # an absolute name stays one
    data = path if name is None else path.parent / str(name)
    if not os.path.isfile(data):  # noqa: PTH113  Path raises where a name is too long
        raise InputError(f"{path.name} keeps its data in the file {str(name)[:200]!r}, which is not there.")
    for field in ("line skip", "lineskip", "byte skip", "byteskip"):
        if int(header.get(field, 0)) > data.stat().st_size:
            raise InputError(f"{path.name} is damaged: its {field} is {header[field]}, more than the file has bytes.")


def write(path: Path, data: Any) -> None:
    """Write a series as ``.seq.nrrd`` or ``.nrrd``; a single frame to ``.nrrd`` becomes a plain volume.

    Raises
    ------
    InputError
        Not an image series, or a detached header (``.nhdr``) is asked for.
    """
    data = one_series(data, "An NRRD file")
    if path.suffix == ".nhdr":
        raise InputError("Detached headers (.nhdr) can be read but not written: use .seq.nrrd.")
    metadata = dict(data.metadata)
    if data.array.dtype.kind == "c":
        metadata["written_as"] = "magnitude of a complex series"
    array = spool.contiguous(data.magnitude().array)
    as_sequence = path.name.endswith(".seq.nrrd") or len(array) > 1
    header = _header(data, as_sequence)
    if metadata:
        header[nrrd_header.METADATA_KEY] = nrrd_header.escape(json.dumps(metadata, default=str))
    nrrd_data.write_file(path, array if as_sequence else array[0], header, _GZIP_LEVEL)


def _header(series: ImageSeries, as_sequence: bool) -> dict[str, Any]:
    """Slicer offers a file as a sequence by the first 800 bytes, so the standard fields stay short and first."""
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    # Adding zero turns -0.0, which some readers print, into 0.
    affine = to_lps @ series.affine + 0.0
    directions = affine[:3, :3].T
    header: dict[str, Any] = {"space": "left-posterior-superior", "encoding": "gzip", "space origin": affine[:3, 3]}
    if not as_sequence:
        header |= {"space directions": directions, "kinds": ["domain"] * 3}
        header[nrrd_header.TIMES_KEY] = repr(float(series.times_s[0]))
        return header
    unit = unit_for(series.times_s)
    header |= {
        "space directions": np.vstack([directions, np.full(3, np.nan)]),
        "kinds": ["domain", "domain", "domain", "list"],
        "labels": ["", "", "", "time"],
        "units": ["", "", "", unit],
        "DataNodeClassName": "vtkMRMLScalarVolumeNode",
        "axis 3 index type": "numeric",
        "axis 3 index values": " ".join(index_texts(series.times_s, unit)),
    }
    assert series.synthetic is not None
    for frame in np.flatnonzero(series.synthetic):
        header[f"axis 3 item {frame:04d} synthetic"] = "1"
    return header


def _frames_first(stored: NDArray[Any], axes: nrrd_header.Axes) -> NDArray[Any]:
    """The array as (frames, z, y, x); ``stored`` has the header's axes in reverse order."""
    last = stored.ndim - 1
    array = stored
    order = [last - axis for axis in reversed(axes.space)]
    if axes.time is not None:
        order.insert(0, last - axes.time)
    if axes.complex_parts is not None:
        parts = np.moveaxis(array, last - axes.complex_parts, -1)
        if parts.shape[-1] != 2:
            raise InputError(f"the complex axis has {parts.shape[-1]} elements instead of 2.")
        order = [o - (o > last - axes.complex_parts) for o in order]
        array = spool.mapped(lambda part: part[..., 0] + np.complex64(1j) * part[..., 1], parts, np.complex64)
    array = np.transpose(array, order)
    if axes.time is None:
        array = array[None]
    return array if len(axes.space) == 3 else array[:, None]


def _synthetic(header: nrrd_header.Header, axes: nrrd_header.Axes, frames: int) -> NDArray[np.bool_]:
    flags = np.zeros(frames, bool)
    if axes.time is not None:
        for frame, attributes in nrrd_header.frame_attributes(header, axes.time).items():
            if frame < frames:
                flags[frame] = attributes.get("synthetic", "0").strip().lower() in ("1", "true", "yes")
    return flags
