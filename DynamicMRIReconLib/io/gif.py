"""Animated ``.gif`` through Pillow: series for slides and web pages, endless; what it shows: ``movie_frames``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.movie_frames import pictures
from DynamicMRIReconLib.io.one_series import one_series
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.series_times import frame_interval_s
from DynamicMRIReconLib.io.video import as_seen, pixel_size

NAME = "GIF"
SUFFIXES = (".gif",)
OPTIONS = ("pixel_size_mm",)

_TICK_S = 0.01
#: browsers show frames that are shorter much too slowly
_LEAST_TICKS = 2
_GREYS = 240
#: a code of 12 bits stands for at most 4096 pixels
_PIXELS_PER_BYTE = 4096 * 8 / 12


def read(path: Path, options: ReadOptions | None = None) -> ImageSeries:
    """Read the frames as grey images 0 to 255, at the times that their durations give; place as for a video.

    Raises
    ------
    InputError
        Damaged file.
    """
    from PIL import Image, ImageSequence

    frames, durations = [], []
    try:
        with Image.open(path) as image:
            _check_size(path, image.size)
            for frame in ImageSequence.Iterator(image):
                frames.append(np.asarray(frame.convert("L"), np.float32))
                durations.append(max(float(frame.info.get("duration", 0.0)), 10.0) * 1e-3)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        # Pillow raises whatever its parser meets in a damaged file
        raise InputError(f"{path.name} is not a readable GIF: {error}") from error
    array = np.stack(frames)[:, None]
    times = np.concatenate([[0.0], np.cumsum(durations[:-1])])
    size, warnings = pixel_size(options, "GIF")
    warnings.append("A GIF knows times in steps of 10 ms only.")
    rows, columns = array.shape[2:]
    return ImageSeries(array, as_seen(rows, columns, size), times, metadata={"warnings": warnings})


def _check_size(path: Path, size: tuple[int, int]) -> None:
    if min(size) < 1 or size[0] * size[1] > _PIXELS_PER_BYTE * path.stat().st_size:
        raise InputError(
            f"{path.name} is damaged: it announces pictures of {size[0]} x {size[1]} pixels, more than it can hold."
        )


def write(path: Path, data: Any) -> None:
    """Write a series at its true speed. Of series faster than 50 frames a second, frames are left out for that.

    Raises
    ------
    InputError
        Not an image series.
    """
    from PIL import Image

    data = one_series(data, "A GIF")
    shown, ticks = shown_frames(data.times_s)
    palette = Image.new("P", (1, 1))
    greys = [round(255 * level / (_GREYS - 1)) for level in range(_GREYS)]
    ambers = [(255 * n // 16, 176 * n // 16, 0) for n in range(1, 17)]
    palette.putpalette([value for grey in greys for value in [grey] * 3] + [value for one in ambers for value in one])
    wanted = set(shown)
    images = [
        picture.quantize(palette=palette, dither=Image.Dither.NONE)
        for index, picture in enumerate(pictures(data))
        if index in wanted
    ]
    durations = [10 * int(count) for count in ticks]
    images[0].save(path, format="GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)


def shown_frames(times_s: NDArray[np.float64]) -> tuple[list[int], NDArray[np.int64]]:
    """Which frames are shown, and for how many hundredths of a second each.

    Each frame starts at its own time, rounded to a hundredth; a frame that would start less than two hundredths after
    the one before is left out. The last one is shown for the mean interval.
    """
    starts = np.rint((times_s - times_s[0]) / _TICK_S).astype(np.int64)
    shown = [0]
    for index in range(1, len(starts)):
        if starts[index] - starts[shown[-1]] >= _LEAST_TICKS:
            shown.append(index)
    last = max(_LEAST_TICKS, round(frame_interval_s(times_s) / _TICK_S))
    return shown, np.append(np.diff(starts[shown]), last)
