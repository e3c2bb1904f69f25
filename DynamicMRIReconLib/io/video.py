"""Video through PyAV (FFmpeg): ``.mp4``, ``.avi`` and ``.mov`` as series for speech, and series as ``.mp4``.

A written movie plays at the series' true, also uneven, frame times; see ``movie_frames`` for what it shows. Grey values
of a movie are for looking at: measure in the series itself.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ResourceError
from DynamicMRIReconLib.io.dicom_common import derivation
from DynamicMRIReconLib.io.movie_frames import pictures
from DynamicMRIReconLib.io.one_series import one_series
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.series_times import frame_interval_s

NAME = "video"
SUFFIXES = (".mp4", ".avi", ".mov", ".m4v")
WRITABLE = (".mp4",)
OPTIONS = ("pixel_size_mm",)

_TICKS_PER_S = 90_000
#: brightness of red, green and blue (ITU-R BT.601)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_COLOURED = 24


def read(path: Path, options: ReadOptions | None = None) -> ImageSeries:
    """Read the first video stream as grey images 0 to 255, one slice, at the file's own frame times.

    The picture is taken as seen in Slicer's axial view, and pixels as 1 mm with a warning unless ``options`` tells
    their size: a video says neither.

    Raises
    ------
    InputError
        Damaged file, no video in it, or PyAV is not installed.
    ResourceError
        The frames do not fit into memory.
    """
    frames, times, coloured = _decoded(path)
    size, warnings = pixel_size(options, "video")
    if coloured:
        warnings.append("The video is coloured: only its brightness is used.")
    if any(time is None for time in times) or not (np.diff(np.array(times, float)) > 0).all():
        warnings.append("The video has no usable frame times: 1 s a frame is assumed.")
        times = list(range(len(frames)))
    rows, columns = frames[0].shape
    array = spool.empty((len(frames), 1, rows, columns), np.float32)
    for part in spool.blocks(array):
        array[part, 0] = frames[part]
    return ImageSeries(
        array,
        as_seen(rows, columns, size),
        np.array(times, float),
        metadata={"warnings": warnings, "times_from": "video"},
    )


def pixel_size(options: ReadOptions | None, kind: str) -> tuple[float, list[str]]:
    """Size of a pixel in mm, and the warnings that go with it."""
    if options is not None and options.pixel_size_mm is not None:
        return float(options.pixel_size_mm), [f"A {kind} knows no position: its picture is placed around RAS 0."]
    return 1.0, [
        f"A {kind} knows neither pixel size nor position: 1 mm pixels are assumed (pixel_size_mm tells another size); "
        "distances are in pixels."
    ]


def as_seen(rows: int, columns: int, size_mm: float = 1.0) -> NDArray[np.float64]:
    """Affine of square pixels around RAS 0, upright in an axial view: x to the patient's left, y to the back."""
    affine = np.diag([-size_mm, -size_mm, 1.0, 1.0])
    affine[:2, 3] = size_mm * (columns // 2), size_mm * (rows // 2)
    return affine


def write(path: Path, data: Any) -> None:
    """Write a series as H.264 (MPEG-4 part 2 where this FFmpeg has no x264), without loss that the eye sees.

    Raises
    ------
    InputError
        Not an image series, a suffix that is only read, or PyAV is not installed.
    """
    data = one_series(data, "A video")
    if path.suffix.lower() not in WRITABLE:
        raise InputError(f"{path.suffix} files can be read but not written: use .mp4.")
    av = _av()
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    rate = Fraction(1.0 / frame_interval_s(data.times_s)).limit_denominator(1000) or Fraction(1)
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = derivation(data)
        stream = container.add_stream(codec, rate=rate, options={"crf": "15"} if codec == "libx264" else {})
        if codec == "mpeg4":
            stream.bit_rate = 8_000_000
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
        for picture, time_s in zip(pictures(data), data.times_s, strict=True):
            if not stream.codec_context.is_open:
                stream.width, stream.height = picture.size
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            frame.pts = round(float(time_s - data.times_s[0]) * _TICKS_PER_S)
            frame.time_base = Fraction(1, _TICKS_PER_S)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _decoded(path: Path) -> tuple[list[NDArray[np.uint8]], list[float | None], bool]:
    """Grey frames, their times in seconds, and whether they had colours."""
    av = _av()
    frames: list[NDArray[np.uint8]] = []
    times: list[float | None] = []
    coloured = False
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path.name} holds no video.")
            for frame in container.decode(video=0):
                colours = frame.to_ndarray(format="rgb24")
                if not frames:
                    coloured = bool((np.ptp(colours, axis=-1) > _COLOURED).mean() > 0.01)
                    _check_memory(path, container.streams.video[0], colours.shape)
                frames.append(np.rint(colours @ _LUMA).astype(np.uint8))
                times.append(None if frame.time is None else float(frame.time))
    except av.error.FFmpegError as error:
        raise InputError(f"{path.name} is not a readable video: {error.strerror or error}.") from error
    if not frames:
        raise InputError(f"{path.name} holds no video frame.")
    if len({frame.shape for frame in frames}) > 1:
        raise InputError(f"{path.name}: the size of the picture changes within the video.")
    return frames, times, coloured


def _check_memory(path: Path, stream: Any, shape: tuple[int, ...]) -> None:
    import psutil

    # Grey bytes while reading, then single precision.
    needed = 5 * int(stream.frames) * shape[0] * shape[1]
    free = int(psutil.virtual_memory().available)
    if needed > free:
        raise ResourceError(
            f"{path.name} needs {needed / 2**30:.1f} GiB of memory, but {free / 2**30:.1f} GiB are free: cut out the "
            "part that matters first."
        )


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise InputError(
            "Videos need the package av (PyAV), which is not installed: pip install av, in Slicer "
            "slicer.util.pip_install('av'); .gif can be written without it."
        ) from error
    return av
