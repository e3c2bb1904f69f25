"""Robust matching of the brightness of stacks."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.methods.common.stack_grid import Box

Array = NDArray[np.float32]
_FWHM_PER_SIGMA = 2.3548
#: voxels of the fixed stack below this part of its 99th percentile say nothing about a factor
_BACKGROUND = 0.1
_MOST_POINTS = 200_000


def match(
    fixed: tuple[Array, Box, float], moving: tuple[Array, Box, float], kind: Literal["scale", "linear", "none"]
) -> tuple[float, float]:
    """``factor, offset`` with which ``factor * moving + offset`` is as bright as ``fixed``.

    Each is a stack (z, y, x), its box and its slice thickness in mm. Both are blurred to one resolution and compared
    where both lie. What differs much more than the rest, such as a slice that moved, is left out. ``scale`` is a ratio
    of sums and ``linear`` maps mean and spread onto each other: least squares would make the noisier one fainter.
    Without common voxels, or with ``none``, it is (1, 0).
    """
    if kind == "none":
        return 1.0, 0.0
    a, b = _common(fixed, moving)
    if len(a) < 50:
        return 1.0, 0.0
    return (_scale(a, b), 0.0) if kind == "scale" else _linear(a, b)


def _scale(a: Array, b: Array) -> float:
    bright = (a > _BACKGROUND * np.percentile(a, 99)) & (b > _BACKGROUND * np.percentile(b, 99))
    if not bright.any():
        return 1.0
    a, b = a[bright].astype(np.float64), b[bright].astype(np.float64)
    usual = np.median(a / b)
    kept = (a > 0.5 * usual * b) & (a < 2 * usual * b)
    return float(a[kept].sum() / b[kept].sum())


def _linear(a: Array, b: Array) -> tuple[float, float]:
    kept = np.ones(len(a), bool)
    factor, offset = 1.0, 0.0
    for _ in range(6):
        one, other = a[kept].astype(np.float64), b[kept].astype(np.float64)
        factor = one.std() / max(other.std(), 1e-12)
        offset = one.mean() - factor * other.mean()
        errors = np.abs(a - factor * b - offset)
        kept = errors <= 3 * 1.4826 * np.median(errors) + 1e-6 * one.std()
    return float(factor), float(offset)


def _common(fixed: tuple[Array, Box, float], moving: tuple[Array, Box, float]) -> tuple[Array, Array]:
    from scipy.ndimage import map_coordinates

    thickness = max(fixed[2], moving[2])
    (one, box, _), other_box = fixed, moving[1]
    smooth, other_smooth = _smoothed(*fixed, thickness), _smoothed(*moving, thickness)
    stride = max(1, round((one.size / _MOST_POINTS) ** (1 / 3)))
    z, y, x = np.meshgrid(*(np.arange(0, n, stride if n > 8 else 1) for n in one.shape), indexing="ij")
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3) @ box.affine[:3, :3].T + box.affine[:3, 3]
    inside = box.holds(points) & other_box.holds(points)
    inverse = np.linalg.inv(other_box.affine)
    at = points[inside] @ inverse[:3, :3].T + inverse[:3, 3]
    values = map_coordinates(other_smooth, at[:, ::-1].T, order=1, mode="nearest")
    return smooth[z.ravel()[inside], y.ravel()[inside], x.ravel()[inside]], values


def _smoothed(array: Array, box: Box, own_mm: float, thickness: float) -> Array:
    """As if its resolution were ``thickness`` along every axis."""
    from scipy.ndimage import gaussian_filter

    spacing = np.linalg.norm(box.affine[:3, :3], axis=0)
    widths = np.array([own_mm, spacing[1], spacing[0]])
    sigma = np.sqrt(np.maximum(thickness**2 - widths**2, 0)) / _FWHM_PER_SIGMA / spacing[::-1]
    return np.asarray(gaussian_filter(array, sigma, mode="nearest"), np.float32)
