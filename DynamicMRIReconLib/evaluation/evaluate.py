"""One call that compares a series with a reference and says everything in one dict."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation import metrics
from DynamicMRIReconLib.evaluation.cardiac import figures_by_rule
from DynamicMRIReconLib.evaluation.regions import box_region, moving_box, moving_region

_APART_VOXELS = 0.1


def evaluate(
    series: ImageSeries, reference: ImageSeries, *, roi: Any = None, scaled: bool = True, cardiac: Any = None
) -> dict[str, Any]:
    """Compare magnitudes frame by frame.

    The data range is the largest value of the reference series. With ``scaled`` one factor for the whole series, that
    of least squared error, is put on the result first, because methods differ in scale; ``unscaled`` holds the figures
    without it.

    Parameters
    ----------
    roi
        None for whole frames, ``"auto"`` for the box around what moves (see ``regions.moving_box``), or
        (x0, y0, x1, y1) pixels with x1 and y1 excluded.
    cardiac
        Region of CardiacPSNR and CardiacSSIM: ``"auto"``, ``"published"`` or a box, see ``cardiac.figures_by_rule``;
        None leaves them out. Of complex series the magnitudes count, as everywhere here.

    Returns
    -------
    JSON-able dict: ``psnr_db``, ``ssim``, ``nrmse``, each ``{"mean": ..., "per_frame": [...]}``, definitions in
    ``metrics``; the same three in ``moving`` (pixels that change over time, within the roi; None if there are none) and
    in ``unscaled``; ``temporal_sharpness``, ``scale``, ``data_range``, ``roi``, ``frames``, ``moving_fraction``;
    ``cardiac``: the cardiac figures and their box, or None.

    Raises
    ------
    InputError
        Shapes, positions (by more than 0.1 voxel) or frame times (by more than half a frame) differ, the reference is
        zero, a region is wrong, or nothing beats where the heart is to be found.
    """
    for name, value in (("result", series), ("reference", reference)):
        if not isinstance(value, ImageSeries):
            raise InputError(f"The {name} must be an image series, not {type(value).__name__}: reconstruct it first.")
    _check_alike(series, reference)
    result, truth = (np.asarray(s.magnitude().array, np.float32) for s in (series, reference))
    data_range = float(truth.max())
    if data_range <= 0:
        raise InputError("The reference holds no value above zero: nothing can be compared with it.")
    shape = (truth.shape[1], truth.shape[2], truth.shape[3])
    region, box = np.ones(shape, bool), None
    if roi is not None:
        region, box = box_region(moving_box(truth) if isinstance(roi, str) and roi == "auto" else roi, shape)
    moving = moving_region(truth)
    moving = None if moving is None or not (moving & region).any() else moving & region
    scale = metrics.best_scale(result, truth) if scaled else 1.0
    figures = _figures(result * np.float32(scale), truth, [region, moving], data_range)
    return {
        **(figures[0] or {}),
        "moving": figures[1],
        "unscaled": _figures(result, truth, [region], data_range)[0] if scaled else figures[0],
        "temporal_sharpness": metrics.temporal_sharpness(
            result * np.float32(scale), truth, region if moving is None else moving
        ),
        "moving_fraction": 0.0 if moving is None else float(moving.sum() / region.sum()),
        "scale": scale,
        "data_range": data_range,
        "roi": None if box is None else list(box),
        "frames": len(truth),
        "cardiac": None if cardiac is None else figures_by_rule(result * np.float32(scale), truth, cardiac),
    }


def means(measures: dict[str, Any]) -> dict[str, float]:
    """``psnr_db``, ``ssim`` and ``nrmse`` of what ``evaluate`` gave, and the cardiac figures where there are some."""
    found = {name: measures[name]["mean"] for name in ("psnr_db", "ssim", "nrmse")}
    cardiac = measures["cardiac"] or {}
    return {**found, **{name: cardiac[name] for name in ("cardiac_psnr_db", "cardiac_ssim") if name in cardiac}}


def _figures(
    result: NDArray[np.float32], truth: NDArray[np.float32], regions: list[NDArray[np.bool_] | None], data_range: float
) -> list[dict[str, Any] | None]:
    maps = metrics.ssim_maps(result, truth, data_range)
    return [
        None
        if region is None
        else {
            "psnr_db": _summary(metrics.psnr_db(result, truth, region, data_range)),
            "ssim": _summary(metrics.ssim(maps, region)),
            "nrmse": _summary(metrics.nrmse(result, truth, region)),
        }
        for region in regions
    ]


def _summary(values: NDArray[np.float64]) -> dict[str, Any]:
    return {"mean": float(values.mean()), "per_frame": [float(value) for value in values]}


def _check_alike(series: ImageSeries, reference: ImageSeries) -> None:
    if series.array.shape != reference.array.shape:
        raise InputError(
            f"The result has the shape {series.array.shape} but the reference {reference.array.shape} "
            "(frames, z, y, x): only series of one shape can be compared."
        )
    last = np.array(series.array.shape[:0:-1]) - 1
    corners = np.array([last * bits for bits in np.ndindex(2, 2, 2)])
    apart = np.abs(reference.geometry.to_ijk(series.geometry.to_ras(corners)) - corners).max()
    if apart > _APART_VOXELS:
        raise InputError(
            f"The result lies up to {apart:.2g} voxels away from the reference: they do not show the same place."
        )
    if series.frames == 1:
        return
    late = float(np.abs(series.times_s - reference.times_s).max())
    interval = float(np.diff(reference.times_s).min())
    if late > interval / 2:
        raise InputError(
            f"Frame times of result and reference differ by up to {late:.4g} s, more than half of the frame interval "
            f"of {interval:.4g} s: frames are compared at the same time only."
        )
