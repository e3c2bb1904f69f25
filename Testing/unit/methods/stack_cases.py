"""Small stacks with a known truth: blobs in closed form, seen by boxcar slices of any orientation and motion."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from DynamicMRIReconLib.acquisition.thick_slices import thick_slices
from DynamicMRIReconLib.data import ImageSeries

#: RAS mm of the marker, far from the other blobs, and its width
MARKER_MM, MARKER_SIGMA_MM = np.array([15.3, -12.4, 13.7]), 3.5
_OTHERS = [  # place, width, height: no symmetry, so that a turn shows
    ((-12, 8, -6), 7.0, 0.8), ((10, 14, -12), 5.0, 0.6), ((-6, -16, 10), 4.0, 0.7), ((-18, -4, 16), 3.5, 0.5),
    ((4, -2, -18), 4.5, 0.9), ((-14, -14, -16), 4.0, 0.4), ((18, 2, -2), 3.0, 0.6), ((0, 18, 16), 4.0, 0.5),
]  # fmt: skip


def scene(points_mm: np.ndarray) -> np.ndarray:
    """Intensity at RAS points (..., 3)."""
    value = np.zeros(points_mm.shape[:-1])
    for centre, sigma, height in [(MARKER_MM, MARKER_SIGMA_MM, 1.0), *_OTHERS]:
        value += height * np.exp(-((points_mm - np.array(centre)) ** 2).sum(-1) / (2 * sigma**2))
    return value


def rigid(turn_degrees: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> np.ndarray:
    """A rigid RAS motion."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return matrix


def volume(
    shape: tuple[int, int, int] = (32, 32, 32), spacing_mm: float = 2.0, motion: np.ndarray | None = None
) -> ImageSeries:
    """The scene on a grid around RAS 0, of a patient who was moved by ``motion``."""
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -(np.array(shape[::-1]) - 1) / 2 * spacing_mm
    z, y, x = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    points = np.stack([x, y, z], -1) @ affine[:3, :3].T + affine[:3, 3]
    if motion is not None:
        inverse = np.linalg.inv(motion)
        points = points @ inverse[:3, :3].T + inverse[:3, 3]
    return ImageSeries(100 * scene(points)[None].astype(np.float32), affine, np.zeros(1))


def stacks(factor: int = 3, motions: dict[int, np.ndarray] | None = None, **options) -> list[ImageSeries]:
    """Three orthogonal stacks; ``motions`` by number of the stack, from 0."""
    return [
        thick_slices(volume(motion=(motions or {}).get(axis), **options), axis, factor).with_metadata(
            source=f"s{axis + 1}"
        )
        for axis in (0, 1, 2)
    ]


def found_marker_mm(result: ImageSeries) -> np.ndarray:
    """RAS mm of the marker: the peak nearest to it, between voxels where a Gaussian's would be."""
    array, affine = result.array[0], result.affine
    at = result.geometry.to_ijk(MARKER_MM)[::-1]
    start = np.rint(at).astype(int)
    reach = max(1, round(4 / float(result.geometry.spacing_mm[0])))
    window = tuple(slice(max(0, c - reach), c + reach + 1) for c in start)
    local = np.unravel_index(np.argmax(array[window]), array[window].shape)
    peak = np.array([w.start + p for w, p in zip(window, local, strict=True)])
    centre = peak.astype(float)
    for axis in range(3):
        step = np.eye(3, dtype=int)[axis]
        before, here, after = (np.log(max(array[tuple(peak + s * step)], 1e-6)) for s in (-1, 0, 1))
        centre[axis] += 0.5 * (before - after) / (before - 2 * here + after)
    return affine[:3, :3] @ centre[::-1] + affine[:3, 3]
