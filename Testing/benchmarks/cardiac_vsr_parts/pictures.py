"""A frame of each method and its error, in the box around the heart."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
from cardiac_vsr_parts.cases import Case
from cardiac_vsr_parts.measure import methods
from numpy.typing import NDArray

from DynamicMRIReconLib.cardiac.region import heart_box

matplotlib.use("Agg")
from matplotlib import pyplot

ERROR_RANGE = 40


def write_picture(case: Case, scale: int, others: dict[str, Path], path: Path, frame: int = 6, row: int = 1) -> None:
    """Truth, coarse frame and each method in slice ``row``, with errors from -40 to 40 of 255 below."""
    x0, y0, x1, y1 = heart_box(case.fine)
    one = replace(case, fine=case.fine[:, row : row + 1])
    series = one.coarse(scale)

    def shown(array: NDArray[np.float32]) -> NDArray[np.float32]:
        return array[frame, 0, y0:y1, x0:x1]

    images = {name: run(series) for name, run in methods(scale, others).items() if name != "bicubic, as published"}
    voxels = np.kron(series.array, np.ones((scale, scale), np.float32))
    panels = {"truth": one.fine, "coarse": voxels, **images}
    panels = {name: shown(array) for name, array in panels.items()}
    figure, axes = pyplot.subplots(2, len(panels), figsize=(2.3 * len(panels), 4.9))
    for column, (name, image) in zip(axes.T, panels.items(), strict=True):
        column[0].imshow(image, cmap="gray", vmin=0, vmax=230)
        column[0].set_title(textwrap.fill(name, 24), fontsize=8)
        if name in images:
            column[1].imshow(image - panels["truth"], cmap="RdBu", vmin=-ERROR_RANGE, vmax=ERROR_RANGE)
        for axis in column:
            axis.axis("off")
    figure.suptitle(
        f"{case.title}, x{scale}; errors from -{ERROR_RANGE} to {ERROR_RANGE}. Not for diagnostic use.", fontsize=9
    )
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
