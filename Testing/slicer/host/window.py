"""The whole window in one picture: panel, slice view with the line, M-mode image, edge chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import QRect
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from . import compose, render
from .compose import View

PANEL_WIDTH = 520
SMALLEST_HEIGHT = 860
VIEWS_WIDTH = 980
MARGIN = 10
LOWEST_VIEW = 150
TRUST_WIDTH = 320
CAPTION_HEIGHT = 24


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

    ``mmode_volume`` is one M-mode, or a list of them, which are drawn one below the other.

    Raises
    ------
    RuntimeError
        If nothing can be rendered on this computer; says what is missing.
    """
    left, first, inner = _room(panel)
    if mmode_volume is None:
        boxes = [QRect(first, MARGIN, VIEWS_WIDTH - 2 * MARGIN, inner)]
        return _write(left, boxes, [_volume_view(volume, boxes[0])], path, note)
    modes = mmode_volume if isinstance(mmode_volume, list) else [mmode_volume]
    stack = {("MMode" if number == 0 else f"MMode{number + 1}"): mode for number, mode in enumerate(modes)}
    for name in ("Waveform", "Spectrogram"):
        sound = modes[0].GetNodeReference(f"DynamicMRIRecon.{name}")
        stack |= {} if sound is None else {name: sound}
    half_w, half_h = (VIEWS_WIDTH - 3 * MARGIN) // 2, (inner - MARGIN) // 2
    # As in the layout the views of a stack are equally high, and as high as the movie together.
    half_h = max(half_h, len(stack) * LOWEST_VIEW) if len(stack) > 2 else half_h
    second, part_h = first + half_w + MARGIN, (half_h - (len(stack) - 1) * MARGIN) // len(stack)
    boxes = [QRect(first, MARGIN, half_w, half_h)]
    boxes += [QRect(second, MARGIN + index * (part_h + MARGIN), half_w, part_h) for index in range(len(stack))]
    boxes.append(QRect(first, 2 * MARGIN + half_h, 2 * half_w + MARGIN, inner - MARGIN - half_h))
    pictures = [_volume_view(volume, boxes[0]), *_stack_views(stack, modes, boxes[1])]
    return _write(left, boxes, [*pictures, _chart_view(chart, boxes[-1])], path, note)


def trust_picture(panel: QWidget | None, path: Path, volumes: dict[str, Any], chart: Any, note: str = "") -> Path:
    """Write the window with volumes, by the names of their views, side by side above the chart.

    Raises
    ------
    RuntimeError
        If nothing can be rendered on this computer; says what is missing.
    """
    left, first, inner = _room(panel)
    count = len(volumes)
    width = max(VIEWS_WIDTH, count * TRUST_WIDTH)
    part = (width - (count + 1) * MARGIN) // count
    half_h = min((inner - MARGIN) // 2, part + compose.TITLE_HEIGHT)
    boxes = [QRect(first + index * (part + MARGIN), MARGIN, part, half_h) for index in range(count)]
    pictures = [_volume_view(volume, box, name) for (name, volume), box in zip(volumes.items(), boxes, strict=True)]
    if chart is not None:
        boxes.append(QRect(first, 2 * MARGIN + half_h, width - 2 * MARGIN, inner - MARGIN - half_h))
        pictures.append(_chart_view(chart, boxes[-1]))
    return _write(left, boxes, pictures, path, note, width)


def compare_picture(panel: QWidget | None, path: Path, names: list[str], note: str = "") -> Path:
    """Write the upper part of the window with the slice views ``names`` side by side, as they are turned now.

    Raises
    ------
    RuntimeError
        If nothing can be rendered on this computer; says what is missing.
    """
    left, first, _ = _room(panel)
    left = left.copy(0, 0, left.width(), SMALLEST_HEIGHT)
    inner = SMALLEST_HEIGHT - CAPTION_HEIGHT - 2 * MARGIN
    columns = len(names) if len(names) <= 3 else (len(names) + 1) // 2
    wide = (VIEWS_WIDTH - (columns + 1) * MARGIN) // columns
    high = min(inner // 2, wide + compose.TITLE_HEIGHT)
    boxes = [
        QRect(first + n % columns * (wide + MARGIN), MARGIN + n // columns * (high + MARGIN), wide, high)
        for n in range(len(names))
    ]
    pictures = []
    for name, box in zip(names, boxes, strict=True):
        composite = slicer.app.layoutManager().sliceWidget(name).mrmlSliceCompositeNode()
        volume = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID())
        size = compose.view_size(box)
        slicer.app.layoutManager().sliceWidget(name).sliceLogic().ResizeSliceNode(*size)
        pictures.append(View(render.slice_picture(volume, *size, layout_name=name, fit=False), volume.GetName()))
    return _write(left, boxes, pictures, path, note)


def _room(panel: QWidget | None) -> tuple[QPixmap, int, int]:
    """The panel as it looks, where the views begin, and how high they may be.

    Raises
    ------
    RuntimeError
        If nothing can be rendered on this computer; says what is missing.
    """
    reason = render.rendering_missing()
    if reason:
        raise RuntimeError(reason)
    left = compose.grab(panel, PANEL_WIDTH) if panel is not None else QPixmap()
    return left, left.width() + MARGIN, max(SMALLEST_HEIGHT, left.height()) - CAPTION_HEIGHT - 2 * MARGIN


def _write(
    left: QPixmap, boxes: list[QRect], pictures: list[View], path: Path, note: str, width: int = VIEWS_WIDTH
) -> Path:
    size = (left.width() + width, max(SMALLEST_HEIGHT, left.height()))
    return compose.compose(left, list(zip(boxes, pictures, strict=True)), size, path, note)


def _volume_view(volume: Any, box: QRect, view: str = "Red") -> View:
    size = compose.view_size(box)
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(volume)
    time = ""
    if browser is not None:
        index = browser.GetSelectedItemNumber()
        sequence = browser.GetMasterSequenceNode()
        count = browser.GetNumberOfItems()
        time = f", frame {index + 1} of {count}, t = {browser.GetFormattedIndexValue(index)} {sequence.GetIndexUnit()}"
    return View(render.slice_picture(volume, *size, layout_name=view), f"{volume.GetName()}{time}")


def _stack_views(stack: dict[str, Any], modes: list[Any], box: QRect) -> list[View]:
    """M-modes and sound, one below the other, on one time axis as the module aligns them."""
    from DynamicMRIReconSlicer import layout, soundImages

    size = compose.view_size(box)
    for name, node in stack.items():
        slicer.app.layoutManager().sliceWidget(name).mrmlSliceCompositeNode().SetBackgroundVolumeID(node.GetID())
        render.fit_view(name, *size)
    if soundImages.of(modes[0]):
        layout.alignTimes([(name, node) for name, node in stack.items() if name.startswith("MMode")], modes[0])
    return [
        View(render.slice_picture(node, *size, layout_name=name, fit=False), node.GetName())
        for name, node in stack.items()
    ]


def _chart_view(chart: Any, box: QRect) -> View:
    return View(render.chart_picture(chart, *compose.view_size(box)), "Plot")
