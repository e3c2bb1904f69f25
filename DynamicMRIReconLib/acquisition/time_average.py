"""The low-resolution middle of k-space, averaged over time: what coil sensitivities are estimated from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.acquisition.density_iterative import iterative_weights
from DynamicMRIReconLib.acquisition.density_radial import radial_weights
from DynamicMRIReconLib.data import KSpace

#: frames used when there are more: the average of so many changes little
_MOST_FRAMES = 64
#: spokes or arms weighted together
_MOST_SHOTS = 512
_EPS = 1e-4


def central_kspace(kspace: KSpace, width: int) -> tuple[NDArray[np.complex64], NDArray[np.bool_]]:
    """Time-averaged central k-space of each slice on the grid, and which of its points were measured.

    Cartesian: the mean over the frames that sampled a point. Non-Cartesian: shots of many frames together, density
    compensated, brought onto the grid by an adjoint transform; every point counts as measured. A 3-D trajectory is
    transformed to image space along z.

    Returns
    -------
    tuple
        complex64 (coils, z, height, width) with k = 0 at index ``width // 2`` of the last two axes, at most ``width``
        wide; bool (z, height, width).
    """
    chosen = np.unique(np.linspace(0, kspace.frames - 1, min(kspace.frames, _MOST_FRAMES)).round().astype(int))
    if kspace.mask is not None:
        rows, columns = (_middle(size, width) for size in kspace.matrix[1:])
        samples = spool.total(kspace.samples[:, :, :, rows, columns])
        count = spool.total(kspace.mask[:, :, rows, columns])
        return (samples / np.maximum(count, 1)).astype(np.complex64), count > 0
    assert kspace.trajectory is not None
    if kspace.trajectory.shape[-1] == 3:
        image = _gridded(kspace.trajectory[chosen], kspace.samples[chosen], kspace.matrix, width)[:, None]
    elif kspace.samples.ndim == 4:
        image = _gridded(kspace.trajectory[chosen], kspace.samples[chosen], kspace.matrix[1:], width)[:, None]
    else:
        per_slice = kspace.trajectory.ndim == 5
        image = np.stack(
            [
                _gridded(
                    kspace.trajectory[chosen][:, z] if per_slice else kspace.trajectory[chosen],
                    kspace.samples[chosen][:, :, z],
                    kspace.matrix[1:],
                    width,
                )
                for z in range(kspace.matrix[0])
            ],
            axis=1,
        )
    if kspace.trajectory.shape[-1] == 3:
        image = image[:, 0]
    rows, columns = (_middle(size, width) for size in kspace.matrix[1:])
    axes = (-2, -1)
    grid = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image, axes=axes), norm="ortho"), axes=axes)
    centre = grid[..., rows, columns].astype(np.complex64)
    return centre, np.ones(centre.shape[1:], bool)


def _middle(size: int, width: int) -> slice:
    width = min(size, width)
    return slice(size // 2 - width // 2, size // 2 - width // 2 + width)


def _gridded(
    trajectory: NDArray[np.float32], samples: NDArray[np.complex64], shape: tuple[int, ...], width: int
) -> NDArray[np.complex64]:
    """Density-compensated adjoint (coils, *shape) of the samples within the central ``width``, over all frames."""
    import finufft

    dimensions = trajectory.shape[-1]
    frames, shots = trajectory.shape[:2]
    together = max(1, _MOST_SHOTS // shots)
    total = np.zeros((samples.shape[1], *shape), np.complex64)
    groups = [slice(start, start + together) for start in range(0, frames, together)]
    for group in groups:
        points = trajectory[group].reshape(1, -1, *trajectory.shape[2:])
        values = np.moveaxis(samples[group], 1, 0).reshape(samples.shape[1], -1)
        distinct, values = _merge_repeats(points[0], values.reshape(samples.shape[1], *points.shape[1:3]))
        # one cell more than is used, all directions alike: the edge of the disc is not seen inside
        limit = np.array([min(size, width) for size in shape[::-1][:2]]) / np.sqrt(2) + 1
        near = (np.abs(distinct[..., :2]) <= limit).all(axis=-1)
        radial = radial_weights(distinct.astype(np.float64))
        weights = iterative_weights(distinct[near].astype(np.float64)) if radial is None else radial[near]
        phase = [
            (distinct[near][:, d] * (2 * np.pi / shape[::-1][d])).astype(np.float32)
            for d in reversed(range(dimensions))
        ]
        transform = finufft.nufft2d1 if dimensions == 2 else finufft.nufft3d1
        weighted = np.ascontiguousarray(values[:, near] * weights, np.complex64)
        total += transform(*phase, weighted, shape, isign=1, eps=_EPS).reshape(total.shape)
    return np.asarray(total / np.float32(np.sqrt(np.prod(shape)) * len(groups)), np.complex64)


def _merge_repeats(
    points: NDArray[np.float32], values: NDArray[np.complex64]
) -> tuple[NDArray[np.float32], NDArray[np.complex64]]:
    """Shots (shots, readout, d) that repeat an earlier one are averaged with it; values (coils, shots, readout)."""
    key = np.rint(points[:, [points.shape[1] // 3, -1]] * 256).astype(np.int64).reshape(len(points), -1)
    _, first, index, count = np.unique(key, axis=0, return_index=True, return_inverse=True, return_counts=True)
    if len(first) == len(points):
        return points, values
    merged = np.zeros((len(values), len(first), values.shape[2]), np.complex64)
    for shot, target in enumerate(index.ravel()):
        merged[:, target] += values[:, shot] / np.float32(count[target])
    return points[first], merged
