"""A series with one off-centre blob whose RAS position is known, on grids of every orientation."""

from __future__ import annotations

import numpy as np

from DynamicMRIReconLib.data import ImageSeries, right_handed

MARKER_RAS_MM = np.array([13.7, -21.3, 34.9])
ORIENTATIONS = ("axial", "sagittal", "coronal", "oblique", "left-handed")
SHAPE_ZYX = (5, 20, 26)
SPACING_MM = np.array([1.4, 1.7, 3.1])


def directions(orientation: str) -> np.ndarray:
    """Columns: RAS directions of the x, y and z axes."""
    if orientation == "sagittal":
        return np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], float)
    if orientation == "coronal":
        return np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float)
    if orientation == "left-handed":
        return np.diag([-1.0, 1.0, 1.0])
    if orientation == "oblique":
        turn, tilt = 0.6, -0.4
        about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
        return about_z @ about_x
    return np.diag([-1.0, -1.0, 1.0])


def raw_marker(orientation: str, frames: int = 3, slices: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Array (frames, z, y, x) and affine, of either handedness, with the blob near a corner, brighter by the frame."""
    shape = (slices, *SHAPE_ZYX[1:])
    affine = np.eye(4)
    affine[:3, :3] = directions(orientation) * SPACING_MM
    at = np.array([17.3, 6.6, min(1.8, slices - 1)])
    affine[:3, 3] = MARKER_RAS_MM - affine[:3, :3] @ at
    k, j, i = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    squares = (((np.stack([i, j, k], -1) - at) * SPACING_MM / (2.2, 2.2, 2.6)) ** 2).sum(-1)
    blob = np.exp(-squares / 2)
    return np.stack([blob * (n + 1) for n in range(frames)]).astype(np.float32), affine


def marker_series(orientation: str, times_s: np.ndarray, slices: int = 5) -> ImageSeries:
    """The same as a series."""
    array, affine = raw_marker(orientation, len(times_s), slices)
    return ImageSeries(*right_handed(array, affine), times_s)


def found_ras_mm(volume: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Centre of the blob in a volume [z, y, x]: the sub-voxel peak along each axis."""
    peak = np.array(np.unravel_index(np.argmax(volume), volume.shape))
    centre = peak.astype(float)
    for axis in range(3):
        if not 0 < peak[axis] < volume.shape[axis] - 1:
            continue
        steps = np.eye(3, dtype=int)[axis]
        before, here, after = (np.log(volume[tuple(peak + s * steps)]) for s in (-1, 0, 1))
        centre[axis] += 0.5 * (before - after) / (before - 2 * here + after)
    return affine[:3, :3] @ centre[::-1] + affine[:3, 3]
