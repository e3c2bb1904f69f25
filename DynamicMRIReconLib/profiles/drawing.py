"""Pictures by matplotlib without any of its global state, for whatever draws one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.io.atomic import atomic_files

_DPI = 150


def new_figure(width: float, height: float) -> Any:
    """An empty matplotlib figure of so many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_png(figure: Any, path: str | Path) -> Path:
    """Write a figure; the file appears whole or not at all.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    path = Path(path)
    with atomic_files([path], [path.suffix]) as (temporary,):
        figure.savefig(temporary, format="png")
    return path


def borders(centres: NDArray[np.float64], alone: float) -> NDArray[np.float64]:
    """Cell borders halfway between the centres; a single cell is ``alone`` wide."""
    if len(centres) == 1:
        return np.array([centres[0] - alone / 2, centres[0] + alone / 2])
    middles = (centres[1:] + centres[:-1]) / 2
    first = centres[0] - (middles[0] - centres[0])
    last = centres[-1] + (centres[-1] - middles[-1])
    return np.concatenate([[first], middles, [last]])
