"""The L-curve: data misfit against penalty over a range of regularisation, and its corner.

P. C. Hansen, D. P. O'Leary. The use of the L-curve in the regularization of discrete ill-posed problems. SIAM J. Sci.
Comput. 14 (1993) 1487-1503, doi:10.1137/0914086.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.profiles import drawing

#: points nearer to each other than this part of the axes' ranges say nothing about the direction of the curve
_TOO_NEAR = 0.02
#: a curvature below this, in the units of the scaled axes, is a straight line and no corner
_STRAIGHT = 0.1
_CORNER_COLOUR = "#d1495b"


def corner(misfits: Sequence[float], penalties: Sequence[float]) -> int | None:
    """Index of the point where the curve, in the order given, bends most towards the origin; None when nowhere.

    Curvature of the circle through a point and its neighbours, on logarithmic axes that are each scaled to the range
    of the values: the corner that is seen in the picture. Values must be positive, else None; the two ends cannot be
    corners. Neighbours closer than 2 % of the axes are passed over.
    """
    points = _scaled(misfits, penalties)
    if points is None:
        return None
    best, sharpest = None, _STRAIGHT
    for i in range(1, len(points) - 1):
        before = next((p for p in points[i - 1 :: -1] if np.hypot(*(p - points[i])) >= _TOO_NEAR), None)
        after = next((p for p in points[i + 1 :] if np.hypot(*(p - points[i])) >= _TOO_NEAR), None)
        if before is None or after is None:
            continue
        curvature = _curvature(before, points[i], after)
        if curvature > sharpest:
            best, sharpest = i, curvature
    return best


def nearest_to_origin(misfits: Sequence[float], penalties: Sequence[float]) -> int:
    """Index of the point with the smallest distance to the lower left of the same axes; 0 if they cannot be drawn."""
    points = _scaled(misfits, penalties)
    return 0 if points is None else int(np.argmin(np.hypot(points[:, 0], points[:, 1])))


def write_l_curve_png(
    misfits: Sequence[float],
    penalties: Sequence[float],
    labels: Sequence[str],
    chosen: int,
    path: str | Path,
    title: str,
    note: str,
) -> Path:
    """Draw the curve with its ``labels`` and the ``chosen`` point ringed; ``note`` is the name of that in the legend.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    figure = drawing.new_figure(6.4, 5.4)
    axes = figure.add_subplot()
    axes.loglog(misfits, penalties, "-o", color="#1f5fbf", markersize=4, linewidth=1.2)
    axes.loglog(
        [misfits[chosen]], [penalties[chosen]], "o", markersize=13, markerfacecolor="none", markeredgewidth=1.8,
        color=_CORNER_COLOUR, label=note,
    )  # fmt: skip
    for x, y, label in zip(misfits, penalties, labels, strict=True):
        axes.annotate(label, (x, y), xytext=(6, 5), textcoords="offset points", fontsize="small")
    axes.set_xlabel("data misfit |A x - y|")
    axes.set_ylabel("penalty, without its weight")
    axes.set_title(title)
    axes.margins(0.12)
    for axis in (axes.xaxis, axes.yaxis):
        _readable_ticks(axis)
    axes.grid(alpha=0.3, which="both")
    figure.legend(loc="outside lower left", frameon=False, fontsize="small")
    figure.text(0.993, 0.012, "Not for diagnostic use.", ha="right", va="bottom", fontsize="x-small", color="0.4")
    return drawing.save_png(figure, path)


def _readable_ticks(axis: Any) -> None:
    """Plain numbers; on a range of less than a decade or so evenly spaced, where powers of ten would be too few."""
    from matplotlib import ticker

    low, high = axis.get_view_interval()
    if high / low < 30:
        axis.set_major_locator(ticker.MaxNLocator(6))
        axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def _scaled(misfits: Sequence[float], penalties: Sequence[float]) -> NDArray[np.float64] | None:
    """The points on logarithmic axes from 0 to 1; None when a value is not positive."""
    values = np.array([misfits, penalties], float).T
    if not len(values) or not (np.isfinite(values).all() and (values > 0).all()):
        return None
    logs = np.log(values)
    spread = np.ptp(logs, axis=0)
    return np.asarray((logs - logs.min(axis=0)) / np.where(spread > 0, spread, 1.0))


def _curvature(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    """Of the circle through three points (4 times the area over the product of the sides); > 0 bent to the origin."""
    (ux, uy), (vx, vy) = b - a, c - b
    bend = float(ux * vy - uy * vx)
    sides = float(np.hypot(ux, uy) * np.hypot(vx, vy) * np.hypot(*(c - a)))
    if sides == 0:
        return 0.0
    # the curve may be walked from either end: the origin's side decides the sign
    towards = float(np.dot((a + c) / 2 - b, [1.0, 1.0]))
    return 2 * abs(bend) / sides if towards > 0 else -2 * abs(bend) / sides
