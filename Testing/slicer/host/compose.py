"""Puts the panel and the pictures of the views together as Slicer's window would show them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

CAPTION = "Drawn offscreen from the module's real panel and MRML nodes by the project's test host; not a screenshot."
BACKGROUND = QColor("#31363b")
TITLE_HEIGHT = 26


@dataclass(frozen=True)
class View:
    """Pixels (height, width, 3) with a title."""

    pixels: NDArray[np.uint8]
    title: str


def to_image(pixels: NDArray[np.uint8]) -> QImage:
    """A copy of RGB pixels as a Qt image."""
    height, width, _ = pixels.shape
    content = np.ascontiguousarray(pixels)
    return QImage(content.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def grab(widget: QWidget, width: int, height: int | None = None) -> QPixmap:
    """The widget as it looks at ``width``; as high as its content unless ``height`` is given."""
    widget.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    widget.setFixedWidth(width)
    widget.show()
    widget.ensurePolished()
    wanted = height or max(widget.sizeHint().height(), widget.minimumSizeHint().height())
    widget.setFixedHeight(wanted)
    if widget.layout() is not None:
        widget.layout().activate()
    picture = widget.grab()
    widget.hide()
    widget.setMinimumSize(0, 0)
    widget.setMaximumSize(16777215, 16777215)
    return picture


def view_size(box: QRect) -> tuple[int, int]:
    """Width and height in pixels that a view has inside ``box``."""
    return box.width(), box.height() - TITLE_HEIGHT


def _draw_view(painter: QPainter, box: QRect, view: View) -> None:
    painter.fillRect(QRect(box.left(), box.top(), box.width(), TITLE_HEIGHT), QColor("#4a5157"))
    painter.setPen(QColor("white"))
    title = painter.fontMetrics().elidedText(view.title, Qt.TextElideMode.ElideMiddle, box.width() - 16)
    painter.drawText(box.left() + 8, box.top() + 18, title)
    image = to_image(view.pixels)
    place = QRect(box.right() + 1 - image.width(), box.top() + TITLE_HEIGHT, image.width(), image.height())
    painter.drawImage(place.topLeft(), image)


def compose(panel: QPixmap, views: list[tuple[QRect, View]], size: tuple[int, int], path: Path, note: str = "") -> Path:
    """Panel at the left, ``views`` at their places, ``note`` and caption below; written to ``path`` as PNG."""
    picture = QImage(size[0], size[1], QImage.Format.Format_RGB32)
    picture.fill(BACKGROUND)
    painter = QPainter(picture)
    painter.setFont(QFont("DejaVu Sans", 9))
    painter.drawPixmap(QPoint(0, 0), panel)
    for box, view in views:
        _draw_view(painter, box, view)
    painter.setPen(QColor("#b0b6bb"))
    painter.setFont(QFont("DejaVu Sans", 8))
    painter.drawText(panel.width() + 12, size[1] - 7, f"{note} {CAPTION}".strip())
    painter.end()
    return save(picture, path)


def save(picture: QImage | QPixmap, path: Path) -> Path:
    """Write a PNG, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not picture.save(str(path)):
        raise OSError(f"The picture {path} could not be written.")
    return path
