"""A series as pictures for a movie: turned as a radiologist looks at it, one grey window, the time burned in below."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries

NOTICE = "Not for diagnostic use"

#: pictures are enlarged until their longer side has about this many pixels, and never made larger than the second
_WANTED, _LARGEST = 512, 1920
_LEAST_WIDTH = 360
_STRIP, _FONT = 24, 13
_GREY, _AMBER = (200, 200, 200), (255, 176, 0)
#: index of the RAS axis that a plane is looked at along: where its picture's right and lower side lie
_VIEWS = {
    0: (np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, -1.0])),
    1: (np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, -1.0])),
    2: (np.array([-1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])),
}


@dataclass(frozen=True)
class View:
    """How slices are turned for looking at.

    Attributes
    ----------
    transposed
        Whether the image's x axis runs down the picture.
    flip_right, flip_down
        Whether the picture's axes run against the image's.
    left, top
        Letter (R, L, A, P, S, I) of the patient's side at the picture's left and upper edge.
    """

    transposed: bool
    flip_right: bool
    flip_down: bool
    left: str
    top: str

    @classmethod
    def of(cls, directions: NDArray[np.float64]) -> View:
        """The radiological view of slices whose axes are the columns of ``directions`` (3, 3), RAS.

        Axial and coronal slices have the patient's right side on the left, sagittal ones the front.
        """
        right, down = _VIEWS[int(np.abs(np.cross(directions[:, 0], directions[:, 1])).argmax())]
        transposed = bool(abs(directions[:, 1] @ right) > abs(directions[:, 0] @ right))
        across, along = (directions[:, 1], directions[:, 0]) if transposed else (directions[:, 0], directions[:, 1])
        flip_right, flip_down = bool(across @ right < 0), bool(along @ down < 0)
        left, top = across * (1 if flip_right else -1), along * (1 if flip_down else -1)
        return cls(transposed, flip_right, flip_down, _letter(left), _letter(top))

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        """Images (..., y, x) as they are looked at (..., down, right)."""
        turned = np.swapaxes(images, -1, -2) if self.transposed else images
        turned = turned[..., ::-1] if self.flip_right else turned
        return turned[..., ::-1, :] if self.flip_down else turned


def _letter(direction: NDArray[np.float64]) -> str:
    axis = int(np.abs(direction).argmax())
    return ("RAS" if direction[axis] > 0 else "LPI")[axis]


def pictures(series: ImageSeries) -> Iterator[Any]:
    """Every frame as an RGB ``PIL.Image`` of one even size.

    All slices side by side, pixels square, one window for the whole series (0.5 to 99.8 % of its values), letters of
    the patient's sides; below, in a strip that hides nothing, time and number of the frame, the notice, and
    ``synthetic`` for interpolated frames.
    """
    from PIL import Image

    series = series.magnitude()
    view = View.of(series.geometry.directions)
    low, high = (spool.percentile(series.array, percent) for percent in (0.5, 99.8))
    factor = 255.0 / max(float(high - low), 1e-30)
    columns = math.ceil(math.sqrt(series.array.shape[1]))
    size = _picture_size(series, view, columns)
    assert series.synthetic is not None
    font = _font()
    for index, frame in enumerate(view.apply(series.array)):
        grey = np.clip((frame - low) * factor, 0, 255).astype(np.uint8)
        tiles = Image.fromarray(_mosaic(grey, columns)).resize(size, Image.Resampling.BICUBIC)
        width = max(size[0], _LEAST_WIDTH)
        picture = Image.new("RGB", (width + width % 2, size[1] + _STRIP + size[1] % 2))
        picture.paste(tiles, ((width - size[0]) // 2, 0))
        stamp = f"t = {series.times_s[index]:.3f} s   {index + 1}/{series.frames}"
        _write_on(picture, font, view, size, stamp, bool(series.synthetic[index]))
        yield picture
        spool.trim()


def _picture_size(series: ImageSeries, view: View, columns: int) -> tuple[int, int]:
    """Width and height of the mosaic in pixels."""
    slices, rows, across = series.array.shape[1:]
    spacing = series.geometry.spacing_mm
    extent = [across * spacing[0] * columns, rows * spacing[1] * math.ceil(slices / columns)]
    if view.transposed:
        extent = [rows * spacing[1] * columns, across * spacing[0] * math.ceil(slices / columns)]
    pixels = max(extent) / min(spacing[0], spacing[1])
    enlarged = pixels * max(1, round(_WANTED / pixels))
    scale = min(enlarged, _LARGEST) / max(extent)
    return max(2, round(extent[0] * scale)), max(2, round(extent[1] * scale))


def _mosaic(slices: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    count, rows, across = slices.shape
    lines = math.ceil(count / columns)
    tiles = np.zeros((lines * columns, rows, across), np.uint8)
    tiles[:count] = slices
    return np.ascontiguousarray(
        tiles.reshape(lines, columns, rows, across).swapaxes(1, 2).reshape(lines * rows, columns * across)
    )


def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(_FONT)


def _write_on(picture: Any, font: Any, view: View, size: tuple[int, int], stamp: str, synthetic: bool) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    middle = height - _STRIP // 2
    offset = (width - size[0]) // 2
    draw.text((6, middle), stamp, fill=_AMBER if synthetic else _GREY, font=font, anchor="lm")
    draw.text((width - 6, middle), NOTICE, fill=_GREY, font=font, anchor="rm")
    if synthetic:
        draw.text((width // 2, middle), "synthetic", fill=_AMBER, font=font, anchor="mm")
    for place, letter, anchor in (
        ((offset + 4, size[1] // 2), view.left, "lm"),
        ((width // 2, 3), view.top, "mt"),
    ):
        draw.text(place, letter, fill=_GREY, font=font, anchor=anchor, stroke_width=1, stroke_fill=(0, 0, 0))
