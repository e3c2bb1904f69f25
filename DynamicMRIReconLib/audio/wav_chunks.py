"""The chunks of a wav file, looked at before scipy believes their sizes: it takes memory for what they announce."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from DynamicMRIReconLib.errors import InputError

_IN_DS64 = 0xFFFFFFFF


def check_chunks(path: Path) -> None:
    """Whether the chunks lie within the file, and a description of the sound comes before the sound.

    Raises
    ------
    InputError
        A chunk is longer than what is left of the file, or ``fmt`` or ``data`` is missing.
    """
    whole = path.stat().st_size
    seen = []
    with path.open("rb") as file:
        for name, start, size in _chunks(file, whole):
            if start + size > whole:
                raise InputError(
                    f"{path.name} is cut short: copy or export it again (its chunk {name!r} announces {size} bytes and "
                    f"has {whole - start})."
                )
            seen.append(name)
    if "fmt " not in seen or "data" not in seen:
        raise InputError(
            f"{path.name} cannot be read as a wav file (it lacks a description of its sound, or the sound): save it as "
            "uncompressed PCM, 16 or 24 bits."
        )


def _chunks(file: IO[bytes], whole: int) -> Iterator[tuple[str, int, int]]:
    """Name, first byte and size of each; nothing where the file has another signature."""
    signature, announced, _ = struct.unpack("<4s4s4s", file.read(12).ljust(12, b"\0"))
    if signature not in (b"RIFF", b"RIFX", b"RF64"):
        return
    order = ">" if signature == b"RIFX" else "<"
    end = whole if signature == b"RF64" else min(whole, struct.unpack(f"{order}I", announced)[0] + 8)
    place, sound = 12, _IN_DS64
    while place + 8 <= end:
        file.seek(place)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        if name == b"ds64":
            # RF64 keeps sizes beyond 4 GB here: of the file, then of the sound
            sound = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        if name == b"data" and signature == b"RF64":
            size = sound
        yield name.decode("latin-1"), place + 8, size
        place += 8 + size + size % 2
