"""A frame and the movement along a line, side by side."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from cine_parts.cases import Case
from numpy.typing import NDArray

matplotlib.use("Agg")
from matplotlib import pyplot

ERROR_RANGE = 0.3


def write_picture(case: Case, movies: dict[str, NDArray[np.float32]], acceleration: float, path: Path) -> None:
    """Rows: the frame most unlike the first; its error; the line through the middle over time."""
    truth = case.frames
    frame = int(np.argmax(((truth - truth[0]) ** 2).sum(axis=(1, 2))))
    column = truth.shape[2] // 2
    figure, axes = pyplot.subplots(3, 1 + len(movies), figsize=(1.7 * (1 + len(movies)), 5.2))
    for place, (title, movie) in zip(axes.T, {"truth": truth, **movies}.items(), strict=True):
        place[0].imshow(movie[frame], cmap="gray", vmin=0, vmax=1)
        place[0].set_title(title, fontsize=7)
        place[1].imshow(movie[frame] - truth[frame], cmap="RdBu", vmin=-ERROR_RANGE, vmax=ERROR_RANGE)
        place[2].imshow(movie[:, :, column].T, cmap="gray", vmin=0, vmax=1, aspect="auto")
        for axis in place:
            axis.set_xticks([])
            axis.set_yticks([])
    for axis, label in zip(axes[:, 0], (f"frame {frame}", "error", "middle column, time"), strict=True):
        axis.set_ylabel(label, fontsize=7)
    figure.suptitle(
        f"{case.title}, acceleration {acceleration:g}; errors from -{ERROR_RANGE} to {ERROR_RANGE}. "
        "Not for diagnostic use.",
        fontsize=8,
    )
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
