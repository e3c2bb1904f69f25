"""Several reconstructions below the truth: the same frames, their errors, and the same M-mode, in the same windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.evaluation.metrics import best_scale
from DynamicMRIReconLib.evaluation.regions import Box
from DynamicMRIReconLib.profiles import drawing
from DynamicMRIReconLib.profiles.line_profile import line_profile

#: the grey window ends at this percentile of the truth within the box
_WINDOW_PERCENTILE = 99.7
_LINE_COLOUR = "#ffb000"
#: inches
_ROW_HEIGHT, _LABEL_WIDTH, _MMODE_WIDTH = 1.85, 1.35, 2.5

Line = tuple[Any, Any]


@dataclass(frozen=True)
class Row:
    """A reconstruction: its label (lines of text, such as name, PSNR and SSIM) and its series."""

    label: str
    series: ImageSeries


def write_comparison_png(
    truth: ImageSeries,
    rows: Sequence[Row],
    path: str | Path,
    *,
    frames: Mapping[str, int],
    box: Box,
    line_ras_mm: Line,
    caption: str,
    error_gain: float = 5.0,
    truth_label: str = "truth",
) -> Path:
    """Draw slice 0 of the truth and, in a row each, of the others.

    Every series is first scaled to the truth by one factor, that of least squared error, as the measures do. Columns:
    each of ``frames`` (its name: its index) within ``box`` (x0, y0, x1, y1), the absolute error of each times
    ``error_gain``, and the M-mode along ``line_ras_mm``, which is dashed in the truth's frames. One window for all.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written, or the line lies outside.
    """
    count = len(frames)
    reference = _crop(_magnitudes(truth), box)
    high = float(np.percentile(reference, _WINDOW_PERCENTILE))
    dy, dx = float(truth.geometry.spacing_mm[1]), float(truth.geometry.spacing_mm[0])
    tile = _ROW_HEIGHT * (box[2] - box[0]) * dx / ((box[3] - box[1]) * dy)
    width = _LABEL_WIDTH + 2 * count * tile + _MMODE_WIDTH
    figure = drawing.new_figure(width, _ROW_HEIGHT * (len(rows) + 1) + 0.9)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    ratios = [_LABEL_WIDTH, *[tile] * (2 * count), _MMODE_WIDTH]
    grid = figure.subplots(len(rows) + 1, 2 + 2 * count, width_ratios=ratios, squeeze=False)
    for number, row in enumerate([Row(truth_label, truth), *rows]):
        magnitudes = _magnitudes(row.series)
        magnitudes = magnitudes * np.float32(1.0 if number == 0 else best_scale(magnitudes, _magnitudes(truth)))
        images = _crop(magnitudes, box)
        label, *axes, last = grid[number]
        label.set_axis_off()
        label.text(0.0, 0.5, row.label, transform=label.transAxes, va="center", fontsize=8.5, linespacing=1.4)
        for place, (name, frame) in enumerate(frames.items()):
            _show(axes[place], images[frame], high, dy / dx)
            if number == 0:
                time_s = truth.times_s[frame]
                axes[place].set_title(f"{name}, {time_s:.2f} s", fontsize=8.5)
                axes[count + place].set_title(f"|error| x {error_gain:g}, {name}", fontsize=8.5)
                _draw_line(axes[place], truth, line_ras_mm, box)
                axes[count + place].set_axis_off()
            else:
                _show(axes[count + place], np.abs(images[frame] - reference[frame]) * error_gain, high, dy / dx)
        scaled = ImageSeries(magnitudes, row.series.affine, row.series.times_s)
        _show_mmode(last, scaled, line_ras_mm, high, last=number == len(rows))
        if number == 0:
            last.set_title("M-mode along the dashed line", fontsize=8.5)
    figure.supxlabel(
        f"{caption}\nGrey window of all pictures: 0 to {high:.3g} (a.u.); errors are multiplied by {error_gain:g}. "
        "Each series is scaled to the truth by one factor.",
        fontsize=7.5,
        x=0.01,
        ha="left",
    )
    return drawing.save_png(figure, path)


def _magnitudes(series: ImageSeries) -> NDArray[np.float32]:
    return np.asarray(series.magnitude().array, np.float32)


def _crop(array: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    x0, y0, x1, y1 = box
    return array[:, 0, y0:y1, x0:x1]


def _show(axes: Any, image: NDArray[np.float32], high: float, aspect: float) -> None:
    axes.imshow(image, cmap="gray", vmin=0.0, vmax=high, aspect=aspect, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_line(axes: Any, truth: ImageSeries, line: Line, box: Box) -> None:
    ends = np.array([truth.geometry.to_ijk(np.asarray(end, float)) for end in line])
    axes.plot(ends[:, 0] - box[0], ends[:, 1] - box[1], "--", color=_LINE_COLOUR, linewidth=0.9)


def _show_mmode(axes: Any, series: ImageSeries, line: Line, high: float, *, last: bool) -> None:
    mmode = line_profile(series, *line, edge=None)
    columns, rows = drawing.borders(mmode.times_s, 1.0), drawing.borders(mmode.positions_mm, 1.0)
    values = np.ma.masked_invalid(mmode.intensity)
    axes.pcolormesh(columns, rows, values, cmap="gray", vmin=0.0, vmax=high, shading="flat", rasterized=True)
    axes.set_ylim(rows[-1], rows[0])
    axes.tick_params(labelsize=7, labelbottom=last)
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_ylabel("mm", fontsize=7.5)
    if last:
        axes.set_xlabel("time (s)", fontsize=7.5)
