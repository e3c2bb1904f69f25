"""4-D and 3-D NIfTI-1/2 (``.nii``, ``.nii.gz``) through nibabel.

A NIfTI header knows one interval between frames and a start, so exact frame times, synthetic flags and notes travel
beside it in a header extension (code 6, "comment") that holds one JSON object::

    {"DynamicMRIRecon": {"times_s": [...], "synthetic": [...], "metadata": {...}}}

The slice thickness comes from the JSON file that DICOM converters write beside an image (BIDS).

Readers that do not know it ignore it; ours prefers it as long as it has one time for each frame. A complex series is
written as magnitudes, with a note: 3D Slicer and most viewers refuse complex voxels. Complex files of others are read.
"""

from __future__ import annotations

import gzip
import json
import logging
import math
import warnings as python_warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconLib.io.metadata import checked_notes
from DynamicMRIReconLib.io.nifti_header import checked_class, units
from DynamicMRIReconLib.io.one_series import one_series
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.series_times import SECONDS_PER_UNIT, frame_interval_s, seconds_per, unit_for
from DynamicMRIReconLib.json_text import parsed_json

NAME = "NIfTI image series"
SUFFIXES = (".nii.gz", ".nii")
OPTIONS: tuple[str, ...] = ()

_log = logging.getLogger(__name__)

_KEY = "DynamicMRIRecon"
_COMMENT = 6
_MM_PER_UNIT = {"mm": 1.0, "meter": 1e3, "micron": 1e-3, "unknown": 1.0}
_NIFTI_UNITS = {"s": "sec", "ms": "msec", "us": "usec"}
_UNEVEN_S = 1e-3
_SCANNER = 1


def read(path: Path, options: ReadOptions | None = None) -> ImageSeries:
    """Read a 4-D series or a 3-D stack (one frame).

    The sform gives the geometry if its code is above 0, else the qform. Spatial units and the time unit are heeded.

    Raises
    ------
    InputError
        Damaged file, colour voxels, more than four dimensions, values that are not finite.
    """
    from nibabel.imageglobals import LoggingOutputSuppressor

    warnings: list[str] = []
    try:
        # nibabel would print what it thinks of a header
        with LoggingOutputSuppressor(), python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            kind = checked_class(path)
            # one open file for all blocks; not mapped, since it may be cut short while the series is in use
            with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
                image = kind.from_file_map(kind.make_file_map({"image": file}), mmap=False)
                stored = _voxels(image.dataobj)
    except (MemoryError, ReconError):
        raise
    except Exception as error:
        # nibabel, gzip and zlib each have their own classes; all mean the same to the user.
        raise InputError(f"{path.name} is not a readable NIfTI file: {error}") from error
    if stored.dtype.kind not in "iufc":
        raise InputError(f"voxels of type {stored.dtype} (colour?) cannot be read as a series.")
    array = _frames_first(stored)
    notes = _notes(image.header, warnings)
    space_unit, time_unit = units(image.header, warnings)
    times, synthetic = _times(image.header, len(array), time_unit, notes, warnings)
    metadata = dict(notes.get("metadata", {}))
    affine = _affine(image, space_unit, warnings)
    thickness = _thickness_beside(path)
    if thickness is not None:
        metadata.setdefault("slice_thickness_mm", thickness)
    if warnings:
        metadata["warnings"] = [*metadata.get("warnings", []), *warnings]
    return ImageSeries.from_any_handedness(array, affine, times, synthetic=synthetic, metadata=metadata)


def write(path: Path, data: Any) -> None:
    """Write a series as 4-D, a single frame as 3-D; a complex one as magnitudes (``.npz`` keeps complex values).

    Raises
    ------
    InputError
        Not an image series.
    """
    import nibabel

    data = one_series(data, "A NIfTI file")
    metadata = dict(data.metadata)
    if data.array.dtype.kind == "c":
        metadata["written_as"] = "magnitude of a complex series"
    array = data.magnitude().array.transpose(3, 2, 1, 0)
    image = nibabel.Nifti1Image(array if data.frames > 1 else array[..., 0], None)
    image.set_sform(data.affine, _SCANNER)
    # A qform holds no shear: only where it says the same as the sform is it worth having.
    directions = data.geometry.directions
    orthogonal = np.allclose(directions.T @ directions, np.eye(3), atol=1e-5)
    image.set_qform(data.affine if orthogonal else None, _SCANNER if orthogonal else 0)
    header = image.header
    # set_qform(None) leaves the spacing alone, so it is set in any case.
    zooms = [float(size) for size in data.geometry.spacing_mm]
    interval, unit = _interval(data.times_s)
    header.set_zooms([*zooms, interval] if data.frames > 1 else zooms)
    header.set_xyzt_units("mm", _NIFTI_UNITS[unit])
    header["toffset"] = data.times_s[0] / SECONDS_PER_UNIT[unit]
    assert data.synthetic is not None
    notes = {
        "times_s": [float(time) for time in data.times_s],
        "synthetic": [int(flag) for flag in data.synthetic],
        "metadata": metadata,
    }
    content = json.dumps({_KEY: notes}, default=str).encode()
    header.extensions.append(nibabel.nifti1.Nifti1Extension(_COMMENT, content))
    nibabel.save(image, str(path))


def _interval(times_s: NDArray[np.float64]) -> tuple[float, str]:
    """The one interval that the header can hold, and its unit: small enough for 3D Slicer to keep frames apart."""
    mean = frame_interval_s(times_s)
    even = times_s[0] + mean * np.arange(len(times_s))
    off = float(np.abs(even - times_s).max())
    if off > _UNEVEN_S:
        _log.warning(
            "NIfTI holds one frame interval only; programs other than this one will see frames up to %.1f ms from "
            "their true times. Write .seq.nrrd to keep them.",
            off * 1e3,
        )
    unit = unit_for(even)
    return mean / SECONDS_PER_UNIT[unit], unit


def _voxels(proxy: Any) -> NDArray[Any]:
    """What nibabel's ``proxy`` stands for, of images of four axes block by block along the last one."""
    shape = tuple(int(size) for size in proxy.shape)
    if len(shape) != 4 or min(shape) < 1:
        return np.asanyarray(proxy)
    at_once = max(1, spool.BLOCK_BYTES // (8 * math.prod(shape[:3])))
    out: NDArray[Any] | None = None
    for start in range(0, shape[3], at_once):
        block = np.asanyarray(proxy[..., start : start + at_once]).transpose(3, 2, 1, 0)
        if out is None:
            out = spool.empty(shape[::-1], block.dtype)
        out[start : start + at_once] = block
        spool.trim()
    assert out is not None
    return out.transpose(3, 2, 1, 0)


def _frames_first(stored: NDArray[Any]) -> NDArray[Any]:
    """(x, y, z, t) in any number of axes, trailing ones dropped, to (frames, z, y, x)."""
    shape = list(stored.shape)
    while len(shape) > 4 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 4:
        raise InputError(f"the image has {len(shape)} dimensions {tuple(shape)}: only x, y, z and time can be read.")
    shape += [1] * (4 - len(shape))
    return stored.reshape(shape, order="A").transpose(3, 2, 1, 0)


def _thickness_beside(path: Path) -> float | None:
    """The slice thickness in mm that a converter noted in ``NAME.json``; the header has the distance of slices only."""
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    try:
        thickness = parsed_json(path.with_name(f"{stem}.json").read_bytes())["SliceThickness"]
        return float(thickness)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _affine(image: Any, space_unit: str, warnings: list[str]) -> NDArray[np.float64]:
    header = image.header
    scale = np.diag([*[_MM_PER_UNIT.get(space_unit, 1.0)] * 3, 1.0])
    sform = header.get_sform(coded=True)[0]
    qform = header.get_qform(coded=True)[0]
    chosen = sform if sform is not None else qform
    if chosen is None:
        warnings.append("The file has neither sform nor qform: position and orientation are not known.")
        chosen = header.get_base_affine()
    elif sform is not None and qform is not None:
        _compare_forms(sform, qform, image.shape, warnings)
    return np.asarray(scale @ np.asarray(chosen, float))


def _compare_forms(
    sform: NDArray[np.float64], qform: NDArray[np.float64], shape: tuple[int, ...], warnings: list[str]
) -> None:
    """Warn when the two positions a file gives differ by more than a tenth of a voxel anywhere in the image."""
    last = np.array([*shape, 1, 1, 1][:3], float) - 1
    corners = np.array([[*(last * bits), 1.0] for bits in np.ndindex(2, 2, 2)])
    apart = float(np.linalg.norm((corners @ (sform - qform).T)[:, :3], axis=1).max())
    voxel = float(np.linalg.norm(sform[:3, :3], axis=0).min())
    # voxels without size are refused as the sform is made the affine
    if apart > 0.1 * voxel > 0:
        warnings.append(f"sform and qform put the image up to {apart / voxel:.2g} voxels apart: the sform is used.")


def _notes(header: Any, warnings: list[str]) -> dict[str, Any]:
    """What this project wrote into the header extension, empty if there is none."""
    for extension in getattr(header, "extensions", ()):
        # those of other codes have parsers of their own, which are not woken
        if extension.get_code() != _COMMENT:
            continue
        content = extension.get_content()
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
        if _KEY not in text:
            continue
        try:
            notes = parsed_json(text.rstrip("\0 \n"))[_KEY]
        except (ValueError, KeyError, TypeError):
            notes = None
        if isinstance(notes, dict) and (metadata := checked_notes(notes.get("metadata", {}))) is not None:
            return {**notes, "metadata": metadata}
        warnings.append("The notes in the file's header extension are damaged and were left out.")
    return {}


def _exact(times_s: list[Any], synthetic: list[Any]) -> tuple[NDArray[np.float64], NDArray[Any]]:
    try:
        return np.array(times_s, np.float64), np.array(synthetic)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(
            "the frame times or synthetic flags in its header extension are no numbers: it is damaged; remove the "
            "extension to read it with the header's times."
        ) from error


def _times(
    header: Any, frames: int, unit: str, notes: dict[str, Any], warnings: list[str]
) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
    """Frame times in seconds and synthetic flags: from the notes when they fit the image, else from the header."""
    exact = notes.get("times_s")
    flags = notes.get("synthetic", [0] * frames)
    if isinstance(exact, list) and isinstance(flags, list) and len(exact) == len(flags) == frames:
        return _exact(exact, flags)
    if exact is not None:
        warnings.append(
            "The exact frame times in the header extension belong to another number of frames: the header's are used."
        )
    zooms = header.get_zooms()
    interval = float(zooms[3]) if len(zooms) > 3 else 0.0
    start = float(header["toffset"]) if "toffset" in header else 0.0
    start = start if math.isfinite(start) else 0.0
    scale = 1.0 if unit == "unknown" else seconds_per(unit)
    if frames == 1:
        return np.array([start * (scale or 1.0)]), None
    if scale is None:
        warnings.append(f"The fourth axis is in {unit}, not time: 1 s a frame is assumed.")
        return np.arange(frames, dtype=np.float64), None
    if not (math.isfinite(interval) and interval > 0):
        warnings.append("The file holds no frame interval (pixdim[4] is 0): 1 s a frame is assumed.")
        return np.arange(frames, dtype=np.float64), None
    if unit == "unknown":
        warnings.append(f"The frame interval {interval:g} has no unit: it is taken as seconds.")
    # The header's single precision would make 0.03 into 0.029999999: seven digits are what it holds.
    interval, start = float(f"{interval:.7g}"), float(f"{start:.7g}")
    return (start + interval * np.arange(frames, dtype=np.float64)) * scale, None
