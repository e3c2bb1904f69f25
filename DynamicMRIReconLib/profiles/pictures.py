"""M-mode and edge chart as PNG, drawn by matplotlib without any global state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.profiles import drawing
from DynamicMRIReconLib.profiles.mmode import MMode

_EDGE_COLOUR = "#ffb000"
_VELOCITY_COLOUR = "#1f5fbf"
_ACCELERATION_COLOUR = "#2b8a5a"
_FOOTNOTE = "Not for diagnostic use."


def write_mmode_png(mmode: MMode, path: str | Path, title: str = "M-mode") -> Path:
    """Write the M-mode: time in s to the right, position in mm downwards from the line's start, grey values as stored.

    Each frame is as wide as its share of time, so uneven frame times are drawn truly. Synthetic frames are hatched,
    positions outside the image tinted; the tracked edge lies over it.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    figure = drawing.new_figure(8, 4.5)
    axes = figure.add_subplot()
    axes.set_facecolor("#cfd8e6")
    columns, rows = drawing.borders(mmode.times_s, 1.0), drawing.borders(mmode.positions_mm, 1.0)
    image = axes.pcolormesh(
        columns, rows, np.ma.masked_invalid(mmode.intensity), cmap="gray", shading="flat", rasterized=True
    )
    colour_bar = figure.colorbar(image, ax=axes, pad=0.02)
    colour_bar.set_label("intensity (a.u.)")
    handles = _hatch_synthetic(axes, mmode, columns)
    if np.isfinite(mmode.edges_mm).any():
        handles += axes.plot(mmode.times_s, mmode.edges_mm, color=_EDGE_COLOUR, linewidth=1.4, label="tracked edge")
    axes.set_xlim(columns[0], columns[-1])
    axes.set_ylim(rows[-1], rows[0])
    axes.set_xlabel("time (s)")
    axes.set_ylabel("position along line (mm)")
    axes.set_title(title)
    _legend(figure, handles)
    return drawing.save_png(figure, path)


def write_chart_png(mmode: MMode, path: str | Path, title: str = "Edge motion") -> Path:
    """Write edge position, velocity and acceleration against time, one above the other, on the frames' true times.

    Synthetic frames are hollow points; they have no velocity unless they were included. As in the M-mode, position
    grows downwards.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    figure = drawing.new_figure(8, 6.5)
    upper, middle, lower = figure.subplots(3, 1, sharex=True)
    times, edges = mmode.times_s, mmode.edges_mm
    markersize = 4 if len(times) <= 150 else 0
    measured = ~mmode.synthetic
    handles = upper.plot(times, edges, color=_EDGE_COLOUR, linewidth=1.4, label="edge position")
    upper.plot(times[measured], edges[measured], "o", color=_EDGE_COLOUR, markersize=markersize)
    if mmode.synthetic.any():
        handles += upper.plot(
            times[mmode.synthetic],
            edges[mmode.synthetic],
            "o",
            color=_EDGE_COLOUR,
            markerfacecolor="white",
            markersize=4,
            label="synthetic frame",
        )
    if not np.isfinite(edges).any():
        upper.text(0.5, 0.5, "no edge on this line", transform=upper.transAxes, ha="center", va="center")
    for axes, values, colour, name in (
        (middle, mmode.velocity_mm_per_s, _VELOCITY_COLOUR, "velocity"),
        (lower, mmode.acceleration_mm_per_s2, _ACCELERATION_COLOUR, "acceleration"),
    ):
        counted = np.isfinite(values)
        handles += axes.plot(
            times[counted], values[counted], "-o", color=colour, linewidth=1.4, markersize=markersize, label=name
        )
        axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    upper.invert_yaxis()
    upper.set_ylabel("edge position\nalong line (mm)")
    middle.set_ylabel("velocity (mm/s),\npositive away from start")
    lower.set_ylabel("acceleration\n(mm/s\u00b2)")
    lower.set_xlabel("time (s)")
    for axes in (upper, middle, lower):
        axes.grid(alpha=0.3)
    upper.set_title(title)
    _legend(figure, handles)
    return drawing.save_png(figure, path)


def _hatch_synthetic(axes: Any, mmode: MMode, columns: NDArray[np.float64]) -> list[Any]:
    handles: list[Any] = []
    # Neighbouring synthetic frames share one hatched area, so that long series stay quick to draw.
    flags = np.concatenate([[False], mmode.synthetic, [False]]).astype(int)
    changes = np.flatnonzero(np.diff(flags))
    for first, last in zip(changes[::2], changes[1::2], strict=True):
        area = axes.axvspan(
            columns[first], columns[last], facecolor="none", edgecolor="#7fd0ff", hatch="///", linewidth=0, alpha=0.7
        )
        handles = [area]
    for area in handles:
        area.set_label("synthetic frames")
    return handles


def _legend(figure: Any, handles: list[Any]) -> None:
    """Below the axes, where it hides nothing, with the footnote on the right."""
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False, fontsize="small")
    else:
        figure.supxlabel(" ", fontsize="x-small")
    figure.text(0.993, 0.012, _FOOTNOTE, ha="right", va="bottom", fontsize="x-small", color="0.4")
