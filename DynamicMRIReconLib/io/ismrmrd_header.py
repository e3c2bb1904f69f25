"""The XML header of an ISMRMRD file: what the reader needs of it, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from DynamicMRIReconLib.errors import InputError


@dataclass(frozen=True)
class Space:
    """Matrix and field of view of an encoded or reconstructed space, in order x (readout), y, z."""

    matrix: tuple[int, int, int]
    fov_mm: tuple[float, float, float]

    def spacing_mm(self, axis: int) -> float:
        """Voxel size along axis 0 (x), 1 (y) or 2 (z)."""
        return self.fov_mm[axis] / self.matrix[axis]


@dataclass(frozen=True)
class Encoding:
    """One encoding of the header; ``centre`` maps a counter's name to its k = 0, None where unknown."""

    encoded: Space
    recon: Space
    trajectory: str
    centre: dict[str, int | None]
    calibration_mode: str | None


@dataclass(frozen=True)
class Header:
    """The header: its encodings, repetition time (None when not given) and the user's named strings."""

    encodings: tuple[Encoding, ...]
    repetition_time_s: float | None = None
    user_strings: dict[str, str] = field(default_factory=dict)


def parse_header(xml: bytes | str, name: str, warn: Callable[[str], None]) -> Header:
    """Read the XML text ``xml`` of the file called ``name``; ``warn`` takes what had to be assumed.

    Raises
    ------
    InputError
        The text is no ISMRMRD header, or a matrix size in it is impossible.
    """
    try:
        document = _document(xml)
    except Exception as error:  # xsdata raises whatever its parser does
        raise InputError(f"{name}: its ISMRMRD header cannot be parsed: {_first_line(error)}") from error
    if not document.encoding:
        raise InputError(f"{name}: its ISMRMRD header describes no encoding (matrix and field of view).")
    encodings = tuple(_encoding(encoding, name, warn) for encoding in document.encoding)
    sequence = document.sequenceParameters
    times_ms = [t for t in (sequence.TR if sequence is not None else []) if t and t > 0]
    user = document.userParameters
    strings = {p.name: p.value or "" for p in (user.userParameterString if user is not None else [])}
    return Header(encodings, times_ms[0] / 1000 if times_ms else None, strings)


def _document(xml: bytes | str) -> Any:
    from ismrmrd import xsd
    from xsdata.formats.dataclass.parsers import XmlParser
    from xsdata.formats.dataclass.parsers.config import ParserConfig

    # Scanners and newer versions of the standard add elements of their own, which are no reason to refuse a file.
    lenient = XmlParser(config=ParserConfig(fail_on_unknown_properties=False))
    text = xml.encode() if isinstance(xml, str) else bytes(xml)
    return lenient.from_bytes(text, xsd.ismrmrdHeader)


def _encoding(encoding: Any, name: str, warn: Callable[[str], None]) -> Encoding:
    encoded = _space(encoding.encodedSpace, f"{name}: the encoded space", warn)
    limits = encoding.encodingLimits
    centre: dict[str, int | None] = {}
    # The schema's names differ from the acquisition header's by their ending.
    for axis, counter in ((1, "step_1"), (2, "step_2")):
        limit = getattr(limits, f"kspace_encoding_{counter}", None) if limits is not None else None
        size = encoded.matrix[axis]
        # A centre of 0 with more than half of the lines after it is one that nobody filled in.
        if limit is None or limit.center is None or (limit.center == 0 and limit.maximum >= size - size // 2):
            centre[counter] = None
        else:
            centre[counter] = int(limit.center)
    imaging = encoding.parallelImaging
    mode = imaging.calibrationMode if imaging is not None else None
    return Encoding(
        encoded=encoded,
        recon=_space(encoding.reconSpace, f"{name}: the reconstructed space", warn),
        trajectory=str(getattr(encoding.trajectory, "value", encoding.trajectory)).lower(),
        centre=centre,
        calibration_mode=None if mode is None else str(getattr(mode, "value", mode)).lower(),
    )


def _space(space: Any, what: str, warn: Callable[[str], None]) -> Space:
    size, field_of_view = space.matrixSize, space.fieldOfView_mm
    matrix = tuple(int(n or 0) for n in (size.x, size.y, size.z))
    if min(matrix) < 1:
        raise InputError(f"{what} has the impossible matrix {matrix[0]}x{matrix[1]}x{matrix[2]} in the header.")
    fov = [float(v or 0) for v in (field_of_view.x, field_of_view.y, field_of_view.z)]
    for axis, axis_name in enumerate("xyz"):
        if not np.isfinite(fov[axis]) or fov[axis] <= 0:
            warn(f"{what} gives no field of view along {axis_name}: voxels of 1 mm are assumed there.")
            fov[axis] = float(matrix[axis])
    return Space((matrix[0], matrix[1], matrix[2]), (fov[0], fov[1], fov[2]))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
