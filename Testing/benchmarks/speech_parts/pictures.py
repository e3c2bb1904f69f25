"""The frames side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot

#: which frame of each case is shown
SHOWN = {"phantom": 3, "real": 8}
ERROR_RANGE = 0.3


def write_pictures(images: dict[str, Any], folder: Path) -> None:
    """``speech-phantom.png`` and ``speech-real.png``: a row for each mask; truth, methods, their errors."""
    for (case, shown), name in zip(images.values(), SHOWN, strict=True):
        methods = list(next(iter(shown.values())))
        figure, axes = pyplot.subplots(len(shown), 1 + 2 * len(methods), figsize=(1.7 * (1 + 2 * len(methods)), 5.4))
        truth = case.frames[SHOWN[name]]
        for row, (mask, by_method) in zip(axes, shown.items(), strict=True):
            panels = [("truth", truth, "gray", (0, 1))]
            for method in methods:
                image = np.abs(by_method[method][SHOWN[name]])
                panels.append((method, image, "gray", (0, 1)))
                panels.append((f"{method}, error", image - truth, "RdBu", (-ERROR_RANGE, ERROR_RANGE)))
            for axis, (title, image, colours, limits) in zip(row, panels, strict=True):
                axis.imshow(image, cmap=colours, vmin=limits[0], vmax=limits[1])
                axis.set_xticks([])
                axis.set_yticks([])
                axis.set_title(title, fontsize=7)
            row[0].set_ylabel(mask, fontsize=8)
        figure.suptitle(
            f"{case.title}; errors from -{ERROR_RANGE} to {ERROR_RANGE}. Not for diagnostic use.", fontsize=8
        )
        figure.tight_layout()
        figure.savefig(folder / f"speech-{name}.png", dpi=110)
        pyplot.close(figure)
