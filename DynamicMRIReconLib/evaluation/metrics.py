"""PSNR, SSIM and NRMSE of image series, one number a frame, within a region.

All take real arrays ``result`` and ``reference`` (frames, z, y, x) of one shape and a ``region``, bool (z, y, x), and
give float64 (frames,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError

SSIM_WINDOW = 7
# What a frame without any error gets: infinity would make means and JSON useless.
PSNR_LIMIT_DB = 200.0

Array = NDArray[Any]


def psnr_db(result: Array, reference: Array, region: NDArray[np.bool_], data_range: float) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio ``10 log10(data_range**2 / MSE)`` in dB, at most 200."""
    errors = _mean_square(result - reference, region)
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(10 * np.log10(data_range**2 / errors), PSNR_LIMIT_DB))


def nrmse(result: Array, reference: Array, region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Root mean square error over the root mean square of the reference, the latter over the region in all frames.

    Raises
    ------
    InputError
        The reference is zero everywhere in the region.
    """
    size = float(np.sqrt(_mean_square(reference, region).mean()))
    if size == 0:
        raise InputError("The reference is zero everywhere in the region: errors cannot be related to it.")
    return np.asarray(np.sqrt(_mean_square(result - reference, region)) / size)


def ssim_maps(result: Array, reference: Array, data_range: float) -> NDArray[np.float32]:
    """Structural similarity (Wang et al., IEEE TIP 2004) at each pixel, (frames, z, y, x), slice by slice.

    scikit-image's defaults: uniform 7x7 window, K1 = 0.01, K2 = 0.03, unbiased covariance.

    Raises
    ------
    InputError
        Images smaller than the window.
    """
    from skimage.metrics import structural_similarity

    if min(reference.shape[-2:]) < SSIM_WINDOW:
        rows, columns = reference.shape[-2:]
        raise InputError(f"SSIM needs images of at least 7 x 7 pixels; these have {columns} x {rows}.")
    maps = np.empty(reference.shape, np.float32)
    for frame, slice_ in np.ndindex(*reference.shape[:2]):
        pair = np.asarray(reference[frame, slice_], np.float64), np.asarray(result[frame, slice_], np.float64)
        maps[frame, slice_] = structural_similarity(*pair, win_size=SSIM_WINDOW, data_range=data_range, full=True)[1]
    return maps


def ssim(maps: NDArray[np.float32], region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean of ``ssim_maps`` over the region without the three pixels at the image border, where windows are cut; if
    nothing of the region is left, over the region as it is."""
    border = SSIM_WINDOW // 2
    whole = np.zeros(region.shape, bool)
    whole[:, border:-border, border:-border] = True
    counted = region & whole if (region & whole).any() else region
    return np.asarray(maps[:, counted].mean(axis=1, dtype=np.float64))


def best_scale(result: Array, reference: Array) -> float:
    """The factor on ``result`` with the least squared error over the whole series; 1 for a result of zeros."""
    energy = _inner(result, result)
    return _inner(result, reference) / energy if energy > 0 else 1.0


def temporal_sharpness(result: Array, reference: Array, region: NDArray[np.bool_]) -> float | None:
    """Size of the frame-to-frame changes over that of the reference's, in the region: below 1 motion is smoothed,
    above 1 there is flicker. None for one frame or a reference that does not change."""
    if len(reference) < 2:
        return None
    changes = [float(np.linalg.norm(np.diff(x[:, region].astype(np.float64), axis=0))) for x in (result, reference)]
    return changes[0] / changes[1] if changes[1] > 0 else None


def _inner(one: Array, other: Array) -> float:
    """Inner product in double precision, frame by frame: squares of large voxels overflow single precision."""
    pairs = zip(one, other, strict=True)
    return sum(float(np.vdot(a.astype(np.float64), b.astype(np.float64))) for a, b in pairs)


def _mean_square(values: Array, region: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(np.square(values[:, region], dtype=np.float64).mean(axis=1))
