"""The voxel grid of a volume that is made of stacks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import Geometry, ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters

#: points along each axis at which it is seen what covers what
PROBES = 48
#: voxels kept around a mask
MASK_MARGIN_MM = 5.0
LARGEST = 2**31


@dataclass(frozen=True)
class VolumeGrid:
    """``shape`` (z, y, x) and ``affine``, voxel index to RAS mm, right-handed."""

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def voxels(self) -> int:
        """How many."""
        return math.prod(self.shape)

    def points_mm(self, planes: slice) -> NDArray[np.float64]:
        """(planes, y, x, 3) RAS positions of the voxels in some planes along z."""
        k = np.arange(self.shape[0])[planes]
        z, y, x = np.meshgrid(k, np.arange(self.shape[1]), np.arange(self.shape[2]), indexing="ij")
        return np.asarray(np.stack([x, y, z], axis=-1) @ self.affine[:3, :3].T + self.affine[:3, 3])


@dataclass(frozen=True)
class Box:
    """Where a stack lies: its affine after registration, its shape (z, y, x), its mask or None."""

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    mask: NDArray[np.bool_] | None = None

    def holds(self, points_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which RAS points (..., 3) lie in one of its voxels, and in its mask where there is one."""
        inverse = np.linalg.inv(self.affine)
        at = points_mm @ inverse[:3, :3].T + inverse[:3, 3]
        size = np.array(self.shape[::-1])
        inside = np.asarray(((at >= -0.5) & (at <= size - 0.5)).all(axis=-1))
        if self.mask is not None:
            i, j, k = np.moveaxis(np.clip(np.rint(at), 0, size - 1).astype(int), -1, 0)
            inside &= self.mask[k, j, i]
        return inside

    def corners_mm(self) -> NDArray[np.float64]:
        """(8, 3) RAS, outer corners of the voxels; with a mask, of the box around it."""
        low, high = np.zeros(3), np.array(self.shape[::-1], float)
        if self.mask is not None and self.mask.any():
            places = np.argwhere(self.mask)[:, ::-1]
            low, high = places.min(axis=0).astype(float), places.max(axis=0) + 1.0
        bits = np.array(list(np.ndindex(2, 2, 2)))
        return np.asarray((low + (high - low) * bits - 0.5) @ self.affine[:3, :3].T + self.affine[:3, 3])


def box_of(stack: ImageSeries, motion: NDArray[np.float64] | None = None) -> Box:
    """The box of a stack, moved by ``motion``; a part ``mask`` is its mask."""
    mask = stack.parts["mask"][0] > 0.5 if "mask" in stack.parts else None
    shape = stack.array.shape
    affine = stack.affine if motion is None else motion @ stack.affine
    return Box((shape[1], shape[2], shape[3]), np.asarray(affine), mask)


def output_grid(boxes: list[Box], parameters: StackParameters) -> VolumeGrid:
    """The grid that ``parameters`` ask for: a given one, a region, or a part of what the stacks cover.

    Axes are those of the fixed stack. The box is filled with whole voxels around its middle.

    Raises
    ------
    InputError
        Nothing is covered, the region is empty or the grid is far too large.
    """
    fixed = boxes[parameters.fixed_stack - 1]
    if parameters.grid is not None:
        affine = np.array(parameters.grid.affine, float)
        z, y, x = parameters.grid.shape
        return _checked(VolumeGrid((z, y, x), Geometry(affine).affine))
    size = parameters.voxel_size_mm or finest_spacing_mm(boxes)
    directions = Geometry(fixed.affine).directions
    corners = _corners(boxes, parameters) @ np.linalg.inv(directions).T
    low, high = corners.min(axis=0), corners.max(axis=0)
    if parameters.region_mm is None:
        covered = _covered(boxes, parameters, low, high, directions)
        low, high = covered if covered is not None else (low, high)
    counts = np.maximum(1, np.rint((high - low) / size)).astype(int)
    first = (low + high) / 2 - (counts - 1) / 2 * size
    affine = np.eye(4)
    affine[:3, :3] = directions * size
    affine[:3, 3] = directions @ first
    return _checked(VolumeGrid((int(counts[2]), int(counts[1]), int(counts[0])), affine))


def finest_spacing_mm(boxes: list[Box]) -> float:
    """The smallest voxel size of all stacks, to a micrometre."""
    return round(min(float(np.linalg.norm(box.affine[:3, :3], axis=0).min()) for box in boxes), 3)


def _corners(boxes: list[Box], parameters: StackParameters) -> NDArray[np.float64]:
    if parameters.region_mm is not None:
        ends = np.array(parameters.region_mm, float).reshape(3, 2)
        if (ends[:, 0] >= ends[:, 1]).any():
            raise InputError(
                f"region_mm is {parameters.region_mm}: each axis needs a start below its end, in the order right, "
                "right, anterior, anterior, superior, superior."
            )
        bits = np.array(list(np.ndindex(2, 2, 2)))
        return np.asarray(ends[:, 0] + (ends[:, 1] - ends[:, 0]) * bits)
    if parameters.field_of_view == "fixed":
        return boxes[parameters.fixed_stack - 1].corners_mm()
    return np.concatenate([box.corners_mm() for box in boxes])


def _covered(
    boxes: list[Box],
    parameters: StackParameters,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    directions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Ends, along the axes of the result, of what enough stacks cover; None where the corners say it already."""
    masked = any(box.mask is not None for box in boxes)
    if parameters.field_of_view != "overlap" and not masked:
        return None
    step = (high - low) / PROBES
    axes = [low[i] + (np.arange(PROBES) + 0.5) * step[i] for i in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) @ directions.T
    counts = np.sum([box.holds(points) for box in boxes], axis=0)
    wanted = np.asarray(counts >= (2 if parameters.field_of_view == "overlap" else 1))
    if not wanted.any():
        raise InputError(
            "The stacks have no common region after registration: check that they show the same part of the body, or "
            "choose field_of_view=union."
        )
    places = np.argwhere(wanted)
    margin = MASK_MARGIN_MM if masked else 0.0
    # a probe stands for its cell, so the box may be a cell too large, never too small
    return (
        np.maximum(low + places.min(axis=0) * step - margin, low - margin),
        np.minimum(low + (places.max(axis=0) + 1) * step + margin, high + margin),
    )


def _checked(grid: VolumeGrid) -> VolumeGrid:
    if grid.voxels > LARGEST:
        z, y, x = grid.shape
        raise InputError(f"The result would have {x} x {y} x {z} voxels: choose a larger voxel_size_mm or a region_mm.")
    return grid
