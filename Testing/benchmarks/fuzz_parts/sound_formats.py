"""Sound and labels: wav, TextGrid."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.made_files import PICKLES, odd_names
from fuzz_parts.texts import replace_text
from hypothesis import strategies as st

_GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "segments"
        xmin = 0
        xmax = 2.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = "a"
        intervals [2]:
            xmin = 1.25
            xmax = 2.5
            text = "心 ""quoted"" b"
    item [2]:
        class = "TextTier"
        name = "marks"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.5
            mark = "here"
"""


def _wav(folder: Path) -> Path:
    from scipy.io import wavfile

    wavfile.write(folder / "voice.wav", 8000, (np.sin(np.arange(800) / 9) * 9000).astype(np.int16))
    return folder / "voice.wav"


def _wav_field(place: Place, value: tuple[int, str, int]) -> None:
    offset, kind, number = value
    content = bytearray(place.given.read_bytes())
    struct.pack_into(kind, content, offset, number)
    place.given.write_bytes(content)


_WAV_FIELDS = [
    *((20, "<H", value) for value in (0, 2, 3, 6, 7, 0xFFFE, 0xFFFF)),
    *((22, "<H", value) for value in (0, 2, 800, 65535)),
    *((24, "<I", value) for value in (0, 1, 99, 4294967295)),
    *((28, "<I", value) for value in (0, 4294967295)),
    *((32, "<H", value) for value in (0, 1, 3, 65535)),
    *((34, "<H", value) for value in (0, 1, 7, 8, 24, 32, 64, 65535)),
    *((40, "<I", value) for value in (0, 1, 1599, 4294967295, 2147483647)),
    *((4, "<I", value) for value in (0, 4294967295)),
    *((16, "<I", value) for value in (0, 14, 4294967295)),
]


def _read_wav(place: Place) -> None:
    from DynamicMRIReconLib.audio import read_wav

    read_wav(place.given)


def _read_textgrid(place: Place) -> None:
    from DynamicMRIReconLib.audio import read_textgrid

    read_textgrid(place.given)


_GRID_TEXTS = [
    *(("size = 2", f"size = {value}") for value in ("-1", "999999999999", "0", "1.5", "1e300", "x")),
    *(("xmax = 2.5", f"xmax = {value}") for value in ("-1", "0", "1e999", "NaN", "")),
    *(("1.25", value) for value in ("9", "-9", "--")),
    *(("<exists>", value) for value in ("<absent>", "", '"')),
    *(("IntervalTier", value) for value in ("TextTier", "OtherTier", "")),
    ('"here"', '"' * 9999),
    ('"a"', '"\x1b[2J"'),
    ("File type", "\ufeffFile type"),
]


def formats() -> list[Format]:
    """Both."""
    grid_texts = st.one_of(st.sampled_from(_GRID_TEXTS))

    def textgrid(folder: Path) -> Path:
        (folder / "voice.TextGrid").write_text(_GRID, encoding="utf-8")
        return folder / "voice.TextGrid"

    wav = {
        "field": Fault(_wav_field, st.sampled_from(_WAV_FIELDS)),
        "only a pickle": PICKLES,
        "name": odd_names(".wav"),
    }
    grid = {"text": Fault(replace_text, grid_texts), "only a pickle": PICKLES, "name": odd_names(".TextGrid")}
    return [
        Format("wav", _wav, ("voice.wav",), wav, run=_read_wav),
        Format("TextGrid", textgrid, ("voice.TextGrid",), grid, run=_read_textgrid),
    ]
