"""The M-mode as an image: time from left to right, position from top (the line's start) to bottom."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.profiles import MMode

#: the picture is about this much wider than high
WIDTH_OVER_HEIGHT = 2.0
MOST_COLUMNS = 4000
#: above the patient, so that lines drawn in the anatomy do not cross the picture
FAR_MM = 5000.0
#: distance of the lines that hatch synthetic frames
HATCH_PIXELS = 6
_UNEVEN = 0.01


def columnFrames(times_s: np.ndarray) -> np.ndarray:
    """Which frame each column shows, columns evenly spaced in time.

    Evenly timed frames give a column each. Otherwise columns are as far apart as the two closest frames, and each shows
    the frame nearest in time, so that gaps look like gaps.
    """
    steps = np.diff(times_s)
    if not steps.size or np.ptp(steps) <= _UNEVEN * steps.max():
        return np.arange(len(times_s))
    count = min(MOST_COLUMNS, round(float((times_s[-1] - times_s[0]) / steps.min())) + 1)
    columns_s = np.linspace(times_s[0], times_s[-1], count)
    return np.abs(columns_s[:, None] - times_s[None, :]).argmin(axis=1)


def updateMModeVolume(volume: Any, mmode: MMode) -> None:
    """Fill ``volume``. Its axes carry no unit of time: ``place`` tells where times are; attributes keep the scale."""
    frames = columnFrames(mmode.times_s)
    inside = mmode.intensity[mmode.valid]
    lowest = float(inside.min())
    picture = np.where(np.isfinite(mmode.intensity), mmode.intensity, lowest)[:, frames]
    isNew = volume.GetImageData() is None
    slicer.util.updateVolumeFromArray(volume, np.ascontiguousarray(picture[None], dtype=np.float32))
    _, step_mm = _pixel_mm(mmode, len(frames))
    matrix = _matrix(mmode, len(frames), 1, step_mm)
    assert np.linalg.det(matrix[:3, :3]) > 0
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    seconds = float(mmode.times_s[-1] - mmode.times_s[0])
    volume.SetAttribute("DynamicMRIRecon.StartTime_s", f"{mmode.times_s[0]:.6f}")
    volume.SetAttribute("DynamicMRIRecon.SecondsPerColumn", f"{seconds / max(1, len(frames) - 1):.6f}")
    volume.SetAttribute("DynamicMRIRecon.MillimetresPerRow", f"{step_mm:.6f}")
    if isNew:
        volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    low, high = np.percentile(inside, (0.5, 99.8))
    if isNew and display is not None and high > low:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(float(low), float(high))


def hatch(mmode: MMode) -> tuple[np.ndarray, np.ndarray]:
    """Labels [1, y, x], 1 on oblique lines through the synthetic frames, and IJK to RAS over the M-mode volume.

    Columns are divided, so that the lines are fine however few frames there are.
    """
    frames = columnFrames(mmode.times_s)
    column_mm, step_mm = _pixel_mm(mmode, len(frames))
    parts = int(np.clip(round(column_mm / step_mm), 1, max(1, MOST_COLUMNS // len(frames))))
    synthetic = np.repeat(mmode.synthetic[frames], parts)
    rows, columns = np.indices((len(mmode.positions_mm), len(synthetic)))
    labels = (synthetic[None, :] & ((rows + columns) % HATCH_PIXELS == 0)).astype(np.uint8)
    return labels[None], _matrix(mmode, len(frames), parts, step_mm)


def place(mmode: MMode, time_s: float, position_mm: float) -> tuple[float, float, float]:
    """RAS of a time and a position in the M-mode volume."""
    count = len(columnFrames(mmode.times_s))
    column_mm, _ = _pixel_mm(mmode, count)
    column_s = float(mmode.times_s[-1] - mmode.times_s[0]) / max(1, count - 1)
    columns = (time_s - float(mmode.times_s[0])) / column_s if column_s else 0.0
    return -columns * column_mm, -position_mm, FAR_MM


def finer(mmode: MMode, least: int, height: float, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """An image with finer columns over the same time axis: the middles of its columns in s, and its IJK to RAS.

    Parameters
    ----------
    least
        Columns that it shall have at least; those of the M-mode are divided.
    height
        Of the whole image, as a part of its width; it has so many ``rows``.
    """
    count = len(columnFrames(mmode.times_s))
    parts = max(1, -(-least // count))
    column_s = float(mmode.times_s[-1] - mmode.times_s[0]) / max(1, count - 1)
    times = float(mmode.times_s[0]) - column_s / 2 + (np.arange(count * parts) + 0.5) * column_s / parts
    width = _pixel_mm(mmode, count)[0] * count
    return times, _matrix(mmode, count, parts, width * height / rows)


def _matrix(mmode: MMode, columns: int, parts: int, row_mm: float) -> np.ndarray:
    """IJK to RAS of an image whose columns are ``parts`` of those of the M-mode, for the axial view.

    There left to right is -R, top to bottom is -A.
    """
    column_mm, _ = _pixel_mm(mmode, columns)
    matrix = np.diag([-column_mm / parts, -row_mm, 1.0, 1.0])
    matrix[0, 3] = column_mm * (0.5 - 0.5 / parts)
    matrix[2, 3] = FAR_MM
    return matrix


def _pixel_mm(mmode: MMode, columns: int) -> tuple[float, float]:
    """Width and height of a pixel of the M-mode volume."""
    width = WIDTH_OVER_HEIGHT * float(mmode.positions_mm[-1]) / columns
    return width, float(mmode.positions_mm[1] - mmode.positions_mm[0])
