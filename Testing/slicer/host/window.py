"""The whole window in one picture: panel, slice view with the line, M-mode image, edge chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
from PySide6.QtCore import QRect
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from . import compose, render
from .compose import Axis, View

PANEL_WIDTH = 520
SMALLEST_HEIGHT = 860
VIEWS_WIDTH = 980
MARGIN = 10
CAPTION_HEIGHT = 24


def mmode_axes(volume: Any) -> tuple[Axis, Axis]:
    """Time and position at the edges of an M-mode volume, from its attributes."""
    columns, rows, _ = volume.GetImageData().GetDimensions()
    start_s = float(volume.GetAttribute("DynamicMRIRecon.StartTime_s"))
    column_s = float(volume.GetAttribute("DynamicMRIRecon.SecondsPerColumn"))
    row_mm = float(volume.GetAttribute("DynamicMRIRecon.MillimetresPerRow"))
    time = Axis("Time (s)", start_s - column_s / 2, start_s + (columns - 0.5) * column_s)
    return time, Axis("Position along the line (mm)", -row_mm / 2, (rows - 0.5) * row_mm)


def window_picture(
    panel: QWidget | None,
    path: Path,
    *,
    volume: Any,
    mmode_volume: Any = None,
    chart: Any = None,
    note: str = "",
) -> Path:
    """Write the window with ``panel`` (or without one) and the views of these nodes as PNG; ``note`` stands below.

    Raises
    ------
    RuntimeError
        If nothing can be rendered on this computer; says what is missing.
    """
    reason = render.rendering_missing()
    if reason:
        raise RuntimeError(reason)
    left = compose.grab(panel, PANEL_WIDTH) if panel is not None else QPixmap()
    height = max(SMALLEST_HEIGHT, left.height())
    width = left.width() + VIEWS_WIDTH
    inner = height - CAPTION_HEIGHT - 2 * MARGIN
    first = left.width() + MARGIN
    if mmode_volume is None:
        boxes = [QRect(first, MARGIN, VIEWS_WIDTH - 2 * MARGIN, inner)]
    else:
        half_w, half_h = (VIEWS_WIDTH - 3 * MARGIN) // 2, (inner - MARGIN) // 2
        second = first + half_w + MARGIN
        top = [QRect(first, MARGIN, half_w, half_h), QRect(second, MARGIN, half_w, half_h)]
        boxes = [*top, QRect(first, 2 * MARGIN + half_h, 2 * half_w + MARGIN, half_h)]
    pictures = [_volume_view(volume, boxes[0])]
    if mmode_volume is not None:
        pictures += [_mmode_view(mmode_volume, boxes[1]), _chart_view(chart, boxes[2])]
    return compose.compose(left, list(zip(boxes, pictures, strict=True)), (width, height), path, note)


def _volume_view(volume: Any, box: QRect) -> View:
    size = compose.view_size(box, axes=False)
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(volume)
    time = ""
    if browser is not None:
        index = browser.GetSelectedItemNumber()
        sequence = browser.GetMasterSequenceNode()
        count = browser.GetNumberOfItems()
        time = f", frame {index + 1} of {count}, t = {browser.GetFormattedIndexValue(index)} {sequence.GetIndexUnit()}"
    return View(render.slice_picture(volume, *size, layout_name="Red"), f"{volume.GetName()}{time}")


def _mmode_view(volume: Any, box: QRect) -> View:
    size = compose.view_size(box, axes=True)
    pixels = render.slice_picture(volume, *size, layout_name="MMode", markups=False, stretch=True)
    return View(np.ascontiguousarray(pixels), volume.GetName(), *mmode_axes(volume))


def _chart_view(chart: Any, box: QRect) -> View:
    return View(render.chart_picture(chart, *compose.view_size(box, axes=False)), "Plot")
