"""What the tests of interpolation have in common."""

import numpy as np
from kspace_cases import OBLIQUE

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries


def sliding(frames=4, step=(2.0, 0.0), shape=(1, 40, 48), kind="real", scale=1.0):
    """A blob that moves by ``step`` voxels (x, y) a frame, irregular times, oblique affine."""
    z, y, x = np.indices(shape)
    at = np.array([18.0, 16.0]) + np.arange(frames)[:, None] * np.array(step)
    images = np.stack([np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 40) * (1 + 0.2 * z) for cx, cy in at])
    if kind == "complex":
        images = images * np.exp(1j * (0.8 + 0.05 * x))
    times = 0.3 + np.cumsum(np.linspace(0.02, 0.05, frames))
    return ImageSeries((scale * images).astype(np.complex64 if kind == "complex" else np.float32), OBLIQUE, times)


def run(series, weights, **values):
    return dmr.reconstruct(series, "ifnet", device="cpu", weights=weights, **values)
