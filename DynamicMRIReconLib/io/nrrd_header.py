"""What an NRRD header says about axes, space, frame times and notes.

Format: teem.sourceforge.net/nrrd/format.html; the sequence keys (``axis 3 index values`` ...) are those of 3D Slicer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.metadata import checked_notes
from DynamicMRIReconLib.io.series_times import seconds_per
from DynamicMRIReconLib.json_text import parsed_json

Header = dict[str, Any]

METADATA_KEY = "DynamicMRIRecon.metadata"
TIMES_KEY = "DynamicMRIRecon.times_s"

# Signs that turn a vector of the named space into RAS.
_TO_RAS = {
    "right-anterior-superior": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
}
_SHORT = {"ras": "right-anterior-superior", "las": "left-anterior-superior", "lps": "left-posterior-superior"}
_SPATIAL = ("domain", "space", "", "none", "???")
_TEMPORAL = ("list", "time")
_PER_AXIS = (
    *("sizes", "kinds", "labels", "units", "spacings", "thicknesses"),
    *("axis mins", "axis maxs", "centers", "centerings", "space directions"),
)


@dataclass(frozen=True)
class Axes:
    """Which of the array's axes, fastest first as in the header, are space, time and real/imaginary parts."""

    space: tuple[int, ...]
    time: int | None
    complex_parts: int | None


def find_axes(header: Header) -> Axes:
    """Tell the axes apart by their kinds and, where these are missing, by the axes that have no direction.

    Raises
    ------
    InputError
        Not a scalar or complex image of two or three spatial dimensions with at most one list of frames, or a field
        of the header does not have one entry for each axis.
    """
    dimension = int(header["dimension"])
    for field in _PER_AXIS:
        if field in header and len(header[field]) != dimension:
            raise InputError(
                f"its header field {field!r} has {len(header[field])} entries for {dimension} axes: it is damaged; "
                "give one for each axis."
            )
    kinds = [str(kind).lower() for kind in header.get("kinds", [""] * dimension)]
    parts = [i for i, kind in enumerate(kinds) if kind == "complex"]
    temporal = [i for i, kind in enumerate(kinds) if kind in _TEMPORAL]
    colour = [kind for kind in kinds if kind not in (*_SPATIAL, *_TEMPORAL, "complex")]
    if colour:
        raise InputError(f"an axis is of kind {colour[0]}: only images with one value a voxel can be read as a series.")
    rest = [i for i in range(dimension) if i not in parts and i not in temporal]
    if not temporal and len(rest) == 4:
        # No kinds: the frames are the axis without a direction in space, else the slowest one.
        without = [i for i in rest if _has_no_direction(header, i)]
        temporal = [without[0] if len(without) == 1 else rest[-1]]
        rest.remove(temporal[0])
    if len(temporal) > 1 or len(parts) > 1 or len(rest) not in (2, 3):
        raise InputError(
            f"its axes ({', '.join(kinds) or 'no kinds'}; sizes {[int(n) for n in header['sizes']]}) are not two or "
            "three of space and at most one of time."
        )
    return Axes(tuple(rest), temporal[0] if temporal else None, parts[0] if parts else None)


def _has_no_direction(header: Header, axis: int) -> bool:
    directions = header.get("space directions")
    return directions is not None and bool(np.isnan(np.asarray(directions[axis], float)).any())


def affine(header: Header, axes: Axes, warnings: list[str]) -> NDArray[np.float64]:
    """Voxel index to RAS mm, of either handedness. A space that is missing or has no name is taken as LPS, as 3D
    Slicer and ITK do, with a warning; so is a missing direction or origin."""
    matrix = np.eye(4)
    directions = header.get("space directions")
    if directions is None:
        spacings = np.asarray(header.get("spacings", np.full(header["dimension"], np.nan)), float)
        for column, axis in enumerate(axes.space):
            matrix[column, column] = spacings[axis] if np.isfinite(spacings[axis]) and spacings[axis] > 0 else 1.0
        warnings.append(
            "The file has no space directions: voxel axes are taken to lie along left, posterior, superior, with size "
            f"{' x '.join(f'{matrix[i, i]:g}' for i in range(3))} mm, so position and orientation are not known."
        )
    else:
        for column, axis in enumerate(axes.space):
            vector = np.asarray(directions[axis], float)[:3]
            if not np.isfinite(vector).all():
                raise InputError(f"axis {axis} is spatial but its space direction is missing.")
            matrix[: len(vector), column] = vector
        if len(axes.space) == 2:
            normal = np.cross(matrix[:3, 0], matrix[:3, 1])
            matrix[:3, 2] = normal / max(float(np.linalg.norm(normal)), 1e-12)
            warnings.append("The images have no slice axis: a slice thickness of 1 mm is assumed.")
    origin = header.get("space origin")
    if origin is not None and np.isfinite(np.asarray(origin, float)[:3]).all():
        vector = np.asarray(origin, float)[:3]
        matrix[: len(vector), 3] = vector
    elif directions is not None:
        warnings.append("The file has no space origin: the first voxel is put at 0, 0, 0.")
    return np.diag([*_signs(header, directions is not None, warnings), 1.0]) @ matrix


def _signs(header: Header, has_directions: bool, warnings: list[str]) -> tuple[int, int, int]:
    named = str(header.get("space", "")).lower()
    space = _SHORT.get(named.removesuffix("t") if len(named) == 4 else named, named.removesuffix("-time"))
    if space not in _TO_RAS:
        if has_directions:
            what = f"The space is {named!r}" if named else "The space is not named"
            warnings.append(f"{what}: coordinates are taken as left-posterior-superior.")
        space = "left-posterior-superior"
    return _TO_RAS[space]


def times_s(header: Header, axes: Axes, frames: int, warnings: list[str]) -> NDArray[np.float64]:
    """Frame times in seconds from, in this order: the sequence's index values when they are times, the trigger times
    that 3D Slicer's DICOM import keeps with each frame, multi-volume labels, the time axis' spacing; else 1 s a frame
    with a warning.

    Raises
    ------
    InputError
        The number of times differs from the number of frames, or they are not numbers.
    """
    if axes.time is None:
        return np.array([float(header.get(TIMES_KEY, 0.0))])
    prefix = f"axis {axes.time}"
    label = _entry(header, "labels", axes.time)
    unit = _entry(header, "units", axes.time)
    texts = str(header.get(f"{prefix} index values", "")).split()
    numeric = str(header.get(f"{prefix} index type", "numeric")).strip().lower() == "numeric"
    if texts and numeric and (scale := _time_scale(label, unit, warnings)) is not None:
        return _numbers(texts, frames, "index values") * scale
    if (triggers := _trigger_times_ms(header, prefix, frames)) is not None:
        return triggers * 1e-3
    volumes = str(header.get("MultiVolume.FrameLabels", "")).replace(",", " ").split()
    volume_unit = seconds_per(str(header.get("MultiVolume.FrameIdentifyingDICOMTagUnits", "")))
    if volumes and volume_unit is not None:
        return _numbers(volumes, frames, "MultiVolume.FrameLabels") * volume_unit
    spacing = float(_entry(header, "spacings", axes.time) or "nan")
    scale = seconds_per(unit)
    if not texts and np.isfinite(spacing) and spacing > 0 and scale is not None:
        start = float(_entry(header, "axis mins", axes.time) or "nan")
        return np.asarray((start if np.isfinite(start) else 0.0) + spacing * np.arange(frames), np.float64) * scale
    what = f"the index is {label or 'unnamed'} with unit {unit or 'none'}" if texts else "there are no index values"
    warnings.append(f"The file holds no frame times ({what}): 1 s a frame is assumed.")
    return np.arange(frames, dtype=np.float64)


def thickness_mm(header: Header, axes: Axes) -> float | None:
    """The thickness of slices that the header tells for the last spatial axis, None when it does not."""
    values = header.get("thicknesses")
    if values is None:
        return None
    thickness = float(np.asarray(values, float)[axes.space[-1]])
    return thickness if np.isfinite(thickness) else None


def _time_scale(label: str, unit: str, warnings: list[str]) -> float | None:
    """Seconds per index unit; None when the index is not a time."""
    if unit:
        return seconds_per(unit)
    if label.lower() in ("time", "t"):
        warnings.append("The frame times have no unit: they are taken as seconds.")
        return 1.0
    return None


def _entry(header: Header, field: str, axis: int) -> str:
    values = header.get(field)
    return "" if values is None else str(values[axis]).strip()


def _numbers(texts: list[str], frames: int, name: str) -> NDArray[np.float64]:
    try:
        values = np.array([float(text) for text in texts])
    except ValueError as error:
        raise InputError(f"the {name} are not all numbers: {error}.") from error
    if len(values) != frames:
        raise InputError(f"there are {frames} frames but {len(values)} {name}.")
    return values


def frame_attributes(header: Header, axis: int) -> dict[int, dict[str, str]]:
    """Attributes of single frames (``axis 3 item 0003 NAME:=VALUE``), by frame number."""
    pattern = re.compile(rf"axis {axis} item (\d+) (.+)")
    found: dict[int, dict[str, str]] = {}
    for key, value in header.items():
        if match := pattern.fullmatch(key):
            found.setdefault(int(match[1]), {})[match[2]] = unescape(str(value))
    return found


def _trigger_times_ms(header: Header, prefix: str, frames: int) -> NDArray[np.float64] | None:
    attributes = frame_attributes(header, int(prefix.split()[1]))
    texts = []
    for frame in range(frames):
        lower = {name.lower(): value for name, value in attributes.get(frame, {}).items()}
        texts.append(lower.get("dicom.triggertime", lower.get("triggertime", "")))
    try:
        values = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return values if (np.diff(values) > 0).all() else None


def metadata(header: Header, warnings: list[str]) -> dict[str, Any]:
    """The notes this project wrote into the header, empty if there are none."""
    text = header.get(METADATA_KEY)
    if text is None:
        return {}
    try:
        notes = checked_notes(parsed_json(unescape(str(text))))
    except ValueError:
        notes = None
    if notes is None:
        warnings.append("The notes in the file's header are damaged and were left out.")
        return {}
    return notes


def escape(text: str) -> str:
    """Key/value text as NRRD wants it: backslash and line feed written as two characters."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def unescape(text: str) -> str:
    """The reverse of ``escape``."""
    return re.sub(r"\\(\\|n)", lambda match: "\n" if match[1] == "n" else "\\", text)
