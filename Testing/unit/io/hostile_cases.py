"""What the tests of files that lie have in common."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError

SERIES = ImageSeries(np.ones((2, 1, 4, 5), np.float32), np.eye(4), np.array([0.0, 0.1]))


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        io.read(path, **options)
    assert path.name[:100] in str(caught.value)
    return str(caught.value)


def note_in_nifti(path: Path, note: str) -> None:
    """Put ``note``, JSON or not, into the extension of a NIfTI file, where this library keeps what NIfTI cannot say."""
    content = path.read_bytes()
    offset = int(struct.unpack_from("<f", content, 108)[0])
    body = f'{{"DynamicMRIRecon": {note}}}'.encode()
    body += b"\0" * (-(len(body) + 8) % 16)
    start = bytearray(content[:352])
    struct.pack_into("<f", start, 108, 360 + len(body))
    path.write_bytes(bytes(start) + struct.pack("<ii", len(body) + 8, 6) + body + content[offset:])
