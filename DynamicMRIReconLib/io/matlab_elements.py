"""The element tags of a .mat v5 file, checked before scipy trusts them: it can crash on tags that are damaged.

Layout after "MAT-File Format", The MathWorks: a header of 128 bytes, then elements, each a tag (type, size) and data.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

from DynamicMRIReconLib.errors import InputError

HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15
KNOWN_TYPES = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14, 15, 16, 17, 18})


def check_elements(path: Path) -> None:
    """Walk the uncompressed elements; the compressed ones carry a checksum. Version 4 files pass unchecked.

    Raises
    ------
    InputError
        A tag has an unknown type or a size beyond the end.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES or 0 in header[:4]:
            return
        order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
        if order is None:
            raise InputError(f"{path.name} is not a MATLAB file, or its header is damaged.")
        position = HEADER_BYTES
        while position + 8 <= size:
            kind, count, _ = _tag(file, position, order)
            end = position + 8 + count
            if kind not in (MATRIX, COMPRESSED) or end > size:
                raise InputError(f"{path.name} is damaged or cut short: a variable in it does not end where it should.")
            if kind == MATRIX:
                _check_inside(file, position + 8, end, order, path.name)
            position = end


def _check_inside(file: IO[bytes], start: int, end: int, order: str, name: str) -> None:
    position = start
    while position + 8 <= end:
        kind, count, whole = _tag(file, position, order)
        position += whole
        if kind not in KNOWN_TYPES or position > end + 7 or count < 0:
            raise InputError(f"{name} is damaged: a variable in it holds data of unknown type or impossible size.")


def _tag(file: IO[bytes], position: int, order: str) -> tuple[int, int, int]:
    """Type, bytes of data, and bytes of the whole element (data are padded to 8 bytes)."""
    file.seek(position)
    kind, count = struct.unpack(f"{order}II", file.read(8))
    if kind >> 16:
        # Up to 4 bytes of data sit in the tag itself.
        return kind & 0xFFFF, kind >> 16, 8
    return kind, count, 8 + (count + 7) // 8 * 8
