"""Movies: GIF, video."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.made_files import OF_SERIES, PICKLES, odd_names, series
from hypothesis import strategies as st


def _gif(folder: Path) -> Path:
    from PIL import Image

    images = [Image.fromarray((frame[0] * 255).astype(np.uint8)) for frame in series()["array"]]
    images[0].save(folder / "cine.gif", save_all=True, append_images=images[1:], duration=[40, 50, 60])
    return folder / "cine.gif"


def _gif_size(place: Place, value: tuple[int, int]) -> None:
    content = bytearray(place.given.read_bytes())
    struct.pack_into("<HH", content, 6, *value)
    place.given.write_bytes(content)


def _gif_bomb(place: Place, value: tuple[int, int]) -> None:
    """One picture of that size, all black: some kilobytes of a file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("P", (4, 4)).save(buffer, "GIF")
    content = bytearray(buffer.getvalue())
    start = content.rindex(b",\0\0\0\0")
    struct.pack_into("<HH", content, 6, *value)
    struct.pack_into("<HH", content, start + 5, *value)
    place.given.write_bytes(content)


def _gif_frames(place: Place, count: int) -> None:
    """Thousands of frames of a large screen, each of one pixel."""
    content = place.given.read_bytes()
    start = content.index(b"\x21\xf9")
    place.given.write_bytes(content[:start] + content[start:-1] * count + b"\x3b")


_SIZES = st.tuples(st.sampled_from([0, 1, 40_000, 65_535]), st.sampled_from([0, 1, 5_000, 65_535]))


def _video(folder: Path, name: str, codec: str) -> Path:
    import av

    with av.open(str(folder / name), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        random = np.random.default_rng(4)
        for number in range(4):
            picture = random.integers(0, 255, (16, 32, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return folder / name


def formats() -> list[Format]:
    """All of them."""
    gif = {
        "screen": Fault(_gif_size, _SIZES),
        "size": Fault(_gif_bomb, _SIZES),
        "frames": Fault(_gif_frames, st.sampled_from([10, 500])),
        "only a pickle": PICKLES,
        "name": odd_names(".gif"),
    }
    video = {"only a pickle": PICKLES}
    return [
        Format("GIF", _gif, ("cine.gif",), gif, job=OF_SERIES, growth=50_000),
        Format("video .mp4", lambda f: _video(f, "cine.mp4", "mpeg4"), ("cine.mp4",), video, job=OF_SERIES, weight=0.5),
        Format("video .avi", lambda f: _video(f, "cine.avi", "mpeg4"), ("cine.avi",), video, job=OF_SERIES, weight=0.5),
    ]
