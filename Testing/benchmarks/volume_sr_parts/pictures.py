"""Pictures of the results side by side."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot
from volume_sr_parts.fetal import aligned

import DynamicMRIReconLib as dmr

_SHOWN = ("B-spline", "SRR", "SRR, true profile, total variation", "IREM")


def simulated_picture(table: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """For each case a row: the truth, one stack across its slices, and results; coronal planes."""
    columns = ["truth", "one stack", *_SHOWN]
    figure, axes = pyplot.subplots(
        len(table), len(columns), figsize=(2.2 * len(columns), 2.7 * len(table)), squeeze=False
    )
    for row, (title, rows) in zip(axes, table.items(), strict=True):
        place = rows[0]["path"].parent
        truth = dmr.read(place / "truth.nrrd").array[0]
        stack = dmr.read(place / "stack-1.nrrd").array[0]
        images = [truth, np.repeat(stack, len(truth) // len(stack), axis=0)]
        # of rows with several weights the first
        by_name = {name: next(one for one in rows if one["name"].startswith(name)) for name in _SHOWN}
        images += [dmr.read(by_name[name]["path"]).array[0] for name in _SHOWN]
        texts = ["", "", *(f"{by_name[name]['psnr_db']:.1f} dB" for name in _SHOWN)]
        for axis, image, column, text in zip(row, images, columns, texts, strict=True):
            axis.imshow(image[:, image.shape[1] // 2], cmap="gray", origin="lower", vmin=0, vmax=truth.max())
            axis.set_title(f"{column}\n{text}", fontsize=7)
            axis.axis("off")
        row[0].set_title("\n".join(textwrap.wrap(title, 30)), fontsize=7)
    _save(figure, path)


def fetal_picture(rows: list[dict[str, Any]], files: Any, path: Path) -> None:
    """Three planes of each result and of the published volume, all in the place of the latter."""
    reference = dmr.read(files[2])
    volumes = {row["name"]: aligned(dmr.read(row["path"]), reference) for row in rows}
    published = next(iter(volumes.values()))[1]
    shown = {name: pair[0] * (published > 0) for name, pair in volumes.items()} | {"published": published}
    figure, axes = pyplot.subplots(3, len(shown), figsize=(2.6 * len(shown), 7.8))
    for number, (name, volume) in enumerate(shown.items()):
        limit = np.percentile(volume[volume > 0], 99.5)
        z, y, x = (n // 2 for n in volume.shape)
        for axis, image in zip(axes[:, number], (volume[z], volume[:, y], volume[:, :, x]), strict=True):
            axis.imshow(image, cmap="gray", vmin=0, vmax=limit)
            axis.axis("off")
        axes[0, number].set_title(name, fontsize=9)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout(pad=0.4, h_pad=1.2)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
