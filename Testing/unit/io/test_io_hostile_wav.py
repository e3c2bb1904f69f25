"""Recordings that lie about their size."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib.audio import read_wav
from DynamicMRIReconLib.errors import InputError


@pytest.mark.parametrize(
    ("offset", "value"),
    [(4, 0), (4, 20), (16, 2**32 - 1), (40, 2**32 - 1), (40, 2**31 - 1), (12, 0x20746D67), (36, 0x61746164 + 1)],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_wav_chunks_that_lie_are_refused_before_memory_is_taken(
    tmp_path: Path, offset: int, value: int, swapped: bool
) -> None:
    import tracemalloc

    path, order = tmp_path / "voice.wav", "><"[not swapped]
    samples = np.arange(-400, 400, dtype=f"{order}i2")
    head = struct.pack(f"{order}4sI4s", b"RIFX" if swapped else b"RIFF", 36 + 1600, b"WAVE")
    form = struct.pack(f"{order}4sIHHIIHH", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16)
    content = bytearray(head + form + struct.pack(f"{order}4sI", b"data", 1600) + samples.tobytes())
    path.write_bytes(content)
    np.testing.assert_allclose(read_wav(path).samples, samples / 2**15)
    content[offset : offset + 4] = value.to_bytes(4, "big" if swapped and offset in (4, 16, 40) else "little")
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"voice\.wav"):
            read_wav(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_wav_beyond_four_gigabytes_keeps_its_sizes_elsewhere(tmp_path: Path) -> None:
    samples = np.arange(-400, 400, dtype="<i2")
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    for size, whole in ((1600, True), (10**12, False)):
        sizes = b"ds64" + struct.pack("<IQQQI", 28, 72 + 1600, size, 800, 0)
        content = b"RF64\xff\xff\xff\xffWAVE" + sizes + form + b"data\xff\xff\xff\xff" + samples.tobytes()
        path = tmp_path / "long.wav"
        path.write_bytes(content)
        if whole:
            np.testing.assert_allclose(read_wav(path).samples, samples / 2**15)
        else:
            with pytest.raises(InputError, match="announces 1000000000000 bytes"):
                read_wav(path)
