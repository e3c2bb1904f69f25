"""Closed contours in millimetres and the fraction of each voxel that they cover.

Coverage is the exact area of the contour's polygon inside each pixel (signed-area accumulation along rows, as font
rasterisers do it), so edges are anti-aliased at one pixel of whatever grid is asked for, move without steps, and a fine
grid averaged down gives the coarse one. The cost is that of the outline plus one cumulative sum over its bounding box.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
Window = tuple[slice, slice]
_PIECE_PX = 0.5


@dataclass(frozen=True)
class Pose:
    """How a person lies in the slice plane: anatomy is scaled, turned about (0, 0) mm (+x towards +y), then shifted."""

    scale: float = 1.0
    turn_deg: float = 0.0
    shift_mm: tuple[float, float] = (0.0, 0.0)

    def place(self, points_mm: ArrayLike) -> Points:
        """Anatomical millimetres (..., 2) to slice-plane millimetres."""
        return np.asarray(rotate(points_mm, self.turn_deg) * self.scale + self.shift_mm)


class Canvas:
    """A pixel grid of ``shape_yx`` over ``fov_xy_mm``; (0, 0) mm is the centre of pixel N // 2 on each axis.

    Contours are given in anatomical millimetres and placed by ``pose``; ``x_mm`` and ``y_mm`` are those of the plane.
    """

    def __init__(self, fov_xy_mm: tuple[float, float], shape_yx: tuple[int, int], pose: Pose | None = None) -> None:
        self.shape = shape_yx
        self.pose = pose or Pose()
        self.pixel_mm = np.array([fov_xy_mm[0] / shape_yx[1], fov_xy_mm[1] / shape_yx[0]])
        self.x_mm = ((np.arange(shape_yx[1]) - shape_yx[1] // 2) * self.pixel_mm[0]).astype(np.float32)
        self.y_mm = ((np.arange(shape_yx[0]) - shape_yx[0] // 2) * self.pixel_mm[1]).astype(np.float32)

    def cover(self, contour_mm: Points) -> tuple[Window, NDArray[np.float32]]:
        """Window of the grid around a closed contour (M, 2) and the covered fraction [0, 1] of each of its pixels."""
        centre = np.array([self.shape[1] // 2, self.shape[0] // 2])
        start = self.pose.place(contour_mm) / self.pixel_mm + centre + 0.5  # pixel i spans [i, i + 1]
        step = np.roll(start, -1, axis=0) - start
        limits = np.array([self.shape[1], self.shape[0]])
        low = np.clip(np.floor(start.min(axis=0)), 0, limits).astype(int)
        high = np.clip(np.ceil(start.max(axis=0)), 0, limits).astype(int)
        window = (slice(low[1], high[1]), slice(low[0], high[0]))
        width, height = (high - low).tolist()
        if width <= 0 or height <= 0:
            return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32)

        # Pieces of at most half a pixel, so that none touches more than two rows.
        count = np.maximum(1, np.ceil(np.abs(step).max(axis=1) / _PIECE_PX)).astype(int)
        which = np.repeat(np.arange(len(start)), count)
        part = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        piece = step[which] / count[which, None]
        a = start[which] + piece * part[:, None] - low
        b = a + piece
        row_a, row_b = np.floor(a[:, 1]), np.floor(b[:, 1])
        rise = np.where(piece[:, 1] == 0, 1.0, piece[:, 1])
        crossing = np.where(row_a == row_b, 1.0, (np.maximum(row_a, row_b) - a[:, 1]) / rise)
        sums = np.zeros(height * (width + 2))
        for row, begin, end in ((row_a, 0.0, crossing), (row_b, crossing, 1.0)):
            weight = (end - begin) * piece[:, 1]
            x = np.clip(a[:, 0] + piece[:, 0] * (end + begin) / 2, 0, width)
            inside = (row >= 0) & (row < height) & (weight != 0)
            column = np.floor(x[inside])
            share = x[inside] - column
            index = (row[inside] * (width + 2) + column).astype(np.intp)
            sums += np.bincount(index, weight[inside] * (1 - share), sums.size)
            sums += np.bincount(index + 1, weight[inside] * share, sums.size)
        covered = np.cumsum(sums.reshape(height, width + 2)[:, :width].astype(np.float32), axis=1)
        orientation = np.sum(start[:, 0] * step[:, 1] - start[:, 1] * step[:, 0])
        return window, np.clip(covered if orientation < 0 else -covered, 0, 1)

    def paint(
        self,
        image: NDArray[np.floating[Any]],
        contour_mm: Points,
        value: float | NDArray[np.floating[Any]],
        mask: NDArray[np.floating[Any]] | None = None,
    ) -> None:
        """Blend ``value`` (a number, or an array on the whole grid) into ``image`` inside the contour, in place."""
        window, covered = self.cover(contour_mm)
        if mask is not None:
            covered = covered * mask[window]
        inside = value[window] if isinstance(value, np.ndarray) else np.float32(value)
        image[window] += covered * (inside - image[window])


def ellipse(centre: ArrayLike, radii: ArrayLike, angle_deg: float = 0.0, points: int = 72) -> Points:
    """Ellipse of the given half axes, its first axis turned from +x towards +y."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    local = np.stack([np.cos(turn), np.sin(turn)], axis=1) * np.asarray(radii, float)
    return rotate(local, angle_deg) + np.asarray(centre, float)


def rotate(points: ArrayLike, angle_deg: float) -> Points:
    """Points (..., 2) turned about the origin, +x towards +y."""
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    return np.asarray(np.asarray(points, float) @ np.array([[c, s], [-s, c]]))


@lru_cache(maxsize=64)
def _closed_basis(count: int, per_point: int) -> Points:
    s = (np.arange(per_point) / per_point)[None, :]
    basis = np.zeros((count, per_point, count))
    rows = np.arange(count)
    basis[rows, :, rows - 1] = (1 - s) ** 2 / 2
    basis[rows, :, rows] = 0.5 + s * (1 - s)
    basis[rows, :, (rows + 1) % count] = s**2 / 2
    return basis.reshape(count * per_point, count)


def smooth_closed(controls: ArrayLike, per_point: int = 10) -> Points:
    """Closed quadratic B-spline of control points (N, 2): no overshoot, it stays inside their hull."""
    points = np.asarray(controls, float)
    return np.asarray(_closed_basis(len(points), per_point) @ points)


def smooth_open(controls: ArrayLike, per_point: int = 10) -> Points:
    """Open quadratic B-spline that begins and ends on the first and last control point."""
    points = np.asarray(controls, float)
    extended = np.concatenate([[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]])
    curve = (_closed_basis(len(extended), per_point) @ extended).reshape(len(extended), per_point, 2)[1:-1]
    half = per_point // 2
    return np.concatenate([points[:1], curve.reshape(-1, 2)[half:-half], points[-1:]])


def ribbon(centreline: Points, widths: ArrayLike) -> Points:
    """Closed outline of a band along an open curve (M, 2) with full width(s) in mm, ends rounded by two points."""
    along = np.gradient(centreline, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    half = np.broadcast_to(np.asarray(widths, float) / 2, (len(centreline),))[:, None]
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    left, right = centreline + half * normal, centreline - half * normal
    begin = centreline[:1] - half[:1] * along[:1] * 0.8
    end = centreline[-1:] + half[-1:] * along[-1:] * 0.8
    return np.concatenate([begin, left, end, right[::-1]])


def crossings_mm(contour: Points, start: ArrayLike, end: ArrayLike) -> Points:
    """Distances from ``start`` at which the line to ``end`` crosses a closed contour, increasing."""
    origin = np.asarray(start, float)
    along = np.asarray(end, float) - origin
    length = float(np.linalg.norm(along))
    along = along / length
    relative = contour - origin
    aside = relative[:, 0] * along[1] - relative[:, 1] * along[0]
    forward = relative @ along
    next_aside, next_forward = np.roll(aside, -1), np.roll(forward, -1)
    cross = (aside >= 0) != (next_aside >= 0)
    share = aside[cross] / (aside[cross] - next_aside[cross])
    distance = forward[cross] + share * (next_forward[cross] - forward[cross])
    return np.sort(distance[(distance >= 0) & (distance <= length)])
