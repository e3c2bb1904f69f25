"""What a NIfTI header announces, checked before nibabel believes it: no memory is taken for what is not there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.numpy_files import LARGEST_COMPRESSION

_EXTENDER = 4
_LONGEST_HEADER = 540
_CHUNK = 1 << 20
#: what lies behind the voxels is nobody's; it is read this far only, since zeros without end fit into a small file
_READ_ON_CHUNKS = 64
_SMALLEST_EXTENSION = 16
_SPACE_BITS, _TIME_BITS = 0x07, 0x38


def checked_class(path: Path) -> Any:
    """nibabel's class of image for a NIfTI-1 or NIfTI-2 file whose header announces no more than the file can hold.

    Raises
    ------
    InputError
        It has no NIfTI header, its voxels begin inside the header or end behind the file, or an extension of the
        header is longer than the room it has.
    """
    import nibabel
    from nibabel.openers import ImageOpener

    with ImageOpener(str(path)) as file:
        start = file.read(_LONGEST_HEADER)
        classes = (nibabel.Nifti1Image, nibabel.Nifti2Image)
        kind = next((one for one in classes if one.header_class.may_contain_header(start)), None)
        if kind is None:
            raise InputError(f"{path.name} is not a readable NIfTI file: its first bytes are no NIfTI header.")
        size = kind.header_class.sizeof_hdr
        header = kind.header_class(start[:size], check=False)
        offset, end = _extent(header, size, path)
        _check_extensions(file, header, size, offset, path)
        if path.name.lower().endswith(".gz"):
            _compare_checksum(file, end)
    return kind


def units(header: Any, warnings: list[str]) -> tuple[str, str]:
    """The units of space and time by nibabel's names, ``unknown`` where the header has none or an undefined code."""
    from nibabel.nifti1 import unit_codes

    code = int(header["xyzt_units"])
    names = []
    for bits, what, assumed in ((_SPACE_BITS, "space", "millimetres"), (_TIME_BITS, "time", "seconds")):
        try:
            names.append(str(unit_codes.label[code & bits]))
        except KeyError:
            names.append("unknown")
            warnings.append(f"The header's unit of {what} has the undefined code {code & bits}: {assumed} are assumed.")
    return names[0], names[1]


def _compare_checksum(file: Any, end: int) -> None:
    """gzip compares it where it meets the end of the file, to which nibabel does not read."""
    file.seek(end)
    for _ in range(_READ_ON_CHUNKS):
        if not file.read(_CHUNK):
            return


def _extent(header: Any, size: int, path: Path) -> tuple[int, int]:
    """Where the voxels begin and end, in bytes."""
    offset = float(header["vox_offset"])
    if not math.isfinite(offset) or offset < size + _EXTENDER:
        raise InputError(
            f"{path.name} is damaged: its header says that the voxels begin at byte {offset:g}, not behind the header."
        )
    count = math.prod(int(number) for number in header.get_data_shape())
    declared = int(offset) + count * header.get_data_dtype().itemsize
    packed = path.name.lower().endswith(".gz")
    available = path.stat().st_size * (LARGEST_COMPRESSION if packed else 1)
    if declared > available:
        raise InputError(
            f"{path.name} is damaged or cut short: its header announces voxels up to byte {declared}, but the file "
            f"holds {'no more than ' if packed else ''}{available} bytes."
        )
    return int(offset), declared


def _check_extensions(file: Any, header: Any, size: int, offset: int, path: Path) -> None:
    """Walk along the extensions as nibabel will, without reading them."""
    file.seek(size)
    if file.read(_EXTENDER)[:1] in (b"", b"\0"):
        return
    place = size + _EXTENDER
    while offset - place >= _SMALLEST_EXTENSION:
        file.seek(place)
        length = int(np.frombuffer(file.read(4), f"{header.endianness}i4")[0])
        if not _SMALLEST_EXTENSION <= length <= offset - place:
            raise InputError(
                f"{path.name} is damaged: an extension of its header is {length} bytes long, with room for "
                f"{offset - place}."
            )
        place += length
