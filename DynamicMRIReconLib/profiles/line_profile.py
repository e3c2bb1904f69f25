"""Intensity along a straight line or a curve in space, over all frames of a series."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles.edges import Polarity
from DynamicMRIReconLib.profiles.mmode import MMode
from DynamicMRIReconLib.profiles.uncertainty import UNCERTAINTY

# Tracking an edge needs memory for the square of the number of samples.
_MOST_SAMPLES = 4000
# Rounding in the affine must not push a line drawn along the outermost voxel centres out of the image.
_TOLERANCE_VOXELS = 1e-4


def line_profile(
    series: ImageSeries,
    start_ras_mm: ArrayLike,
    end_ras_mm: ArrayLike,
    *,
    step_mm: float | None = None,
    edge: Polarity | None = "either",
) -> MMode:
    """Sample ``series`` along the line from start to end, in every frame, by trilinear interpolation.

    Complex series are sampled as magnitudes, and so is the part ``uncertainty`` (standard deviations) of a series that
    has one. A sample is valid between the centres of the outermost voxels; along an
    axis of one voxel, within half a voxel of its centre.

    Parameters
    ----------
    start_ras_mm, end_ras_mm
        (3,) RAS millimetres.
    step_mm
        Largest distance of samples; they are spread evenly from start to end, both included. Default: half the smaller
        in-plane voxel size.
    edge
        Which edge to track: dark to bright along the line (``rising``), ``falling``, the stronger of the two
        (``either``), or None for none.

    Raises
    ------
    InputError
        Ends not finite or equal, step not positive, line wholly outside the image.
    """
    start, end = _point(start_ras_mm, "start"), _point(end_ras_mm, "end")
    return curve_profile(series, np.stack([start, end]), step_mm=step_mm, edge=edge)


def curve_profile(
    series: ImageSeries,
    points_ras_mm: ArrayLike,
    *,
    step_mm: float | None = None,
    edge: Polarity | None = "either",
) -> MMode:
    """As ``line_profile``, along the straight pieces between points; positions are measured along the way.

    Parameters
    ----------
    points_ras_mm
        (n, 3) RAS millimetres, at least two; a smooth curve is given by many.

    Raises
    ------
    InputError
        Points not finite or all in one place, step not positive, curve wholly outside the image.
    """
    points = _points(points_ras_mm)
    distances = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    length = float(distances[-1])
    if length < 1e-6:
        raise InputError("The line's start and end are the same point: draw a line with a length.")
    step = float(series.geometry.spacing_mm[:2].min()) / 2 if step_mm is None else float(step_mm)
    if not (np.isfinite(step) and step > 0):
        raise InputError(f"The step along the line must be above 0 mm, not {step:g}.")
    if length / step > _MOST_SAMPLES:
        raise InputError(
            f"A step of {step:g} mm makes too many samples on a line of {length:.1f} mm: use a larger one."
        )
    samples = max(2, int(np.ceil(length / step - 1e-9)) + 1)
    positions = np.linspace(0.0, 1.0, samples) * length
    places = np.column_stack([np.interp(positions, distances, points[:, axis]) for axis in range(3)])
    ijk = series.geometry.to_ijk(places)
    shape = np.array(series.array.shape[:0:-1])
    valid = _inside(ijk, shape)
    if not valid.any():
        raise InputError(
            f"The line lies wholly outside the image: it runs from voxel {_text(ijk[0])} to {_text(ijk[-1])}, but the "
            f"image has {shape[0]} x {shape[1]} x {shape[2]} voxels. Draw it within the image, or within the slice."
        )
    assert series.synthetic is not None
    deviation = series.parts.get(UNCERTAINTY)
    mmode = MMode(
        positions_mm=positions,
        times_s=series.times_s,
        intensity=_trilinear(series.array, ijk, valid),
        valid=valid,
        synthetic=series.synthetic,
        start_ras_mm=points[0],
        end_ras_mm=points[-1],
        points_ras_mm=places,
        deviation=None if deviation is None else _trilinear(deviation, ijk, valid),
    )
    return mmode if edge is None else mmode.with_edge(edge)


def _points(value: ArrayLike) -> NDArray[np.float64]:
    try:
        points = np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"The line's points must be three numbers each (R, A, S in mm): {error}.") from error
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 2 or not np.isfinite(points).all():
        raise InputError("A line needs at least two points of three finite numbers each (R, A, S in mm).")
    return points


def _point(value: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        point = np.array(value, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"The line's {name} must be three numbers (R, A, S in mm): {error}.") from error
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"The line's {name} must be three finite numbers (R, A, S in mm), not {value!r}.")
    return point


def _inside(ijk: NDArray[np.float64], shape: NDArray[Any]) -> NDArray[np.bool_]:
    """Within the outermost voxel centres, or within half a voxel where there is only one."""
    margin = np.where(shape == 1, 0.5, 0.0) + _TOLERANCE_VOXELS
    return np.asarray(((ijk >= -margin) & (ijk <= shape - 1 + margin)).all(axis=1))


def _trilinear(array: NDArray[Any], ijk: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(positions, frames) values of ``array`` (frames, z, y, x), NaN where not valid."""
    shape = np.array(array.shape[:0:-1])
    inside = np.clip(ijk[valid], 0, shape - 1)
    low = np.minimum(inside.astype(int), np.maximum(shape - 2, 0))
    fraction = inside - low
    intensity = np.full((len(ijk), len(array)), np.nan, np.float32)
    for part in spool.blocks(array):
        values = np.zeros((int(valid.sum()), part.stop - part.start), np.float64)
        for corner in itertools.product((0, 1), repeat=3):
            upper = np.array(corner)
            weight = np.where(upper, fraction, 1 - fraction).prod(axis=1)
            if not weight.any():
                continue
            i, j, k = np.minimum(low + upper, shape - 1).T
            voxels = array[part][:, k, j, i]
            values += weight[:, None] * (np.abs(voxels) if voxels.dtype.kind == "c" else voxels).T
        intensity[valid, part] = values
    return intensity


def _text(ijk: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{value:.1f}' for value in ijk)})"
