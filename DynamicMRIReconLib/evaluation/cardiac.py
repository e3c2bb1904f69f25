"""CardiacPSNR and CardiacSSIM: the published figures of cardiac super-resolution, inside a box around the heart."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation.metrics import PSNR_LIMIT_DB
from DynamicMRIReconLib.evaluation.regions import Box, box_region

#: images are compared as whole numbers up to this
PEAK = 255.0
#: of the reference's intensities, as published: what is brighter is cut off before the comparison
BRIGHT_PERCENT = 99.5
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


def cardiac_figures(
    result: NDArray[Any], reference: NDArray[Any], box: Any, *, bright: float | None = None, parity: bool = False
) -> dict[str, float]:
    """``cardiac_psnr_db`` and ``cardiac_ssim``, means over frames and slices of real arrays (frames, z, y, x).

    Both are brought to 0...255 by ``bright``, rounded and bounded. PSNR has the peak 255, each frame and slice its own,
    at most 200 dB. SSIM has a Gaussian window of 11 x 11 with sigma 1.5 that stays within the box.

    Parameters
    ----------
    box
        (x0, y0, x1, y1) pixels, ends excluded; see ``cardiac.region``.
    bright
        The intensity that becomes 255; None takes the largest of the reference.
    parity
        Sigma 2.12 as in the published code, which has an extra factor 2 in the exponent.

    Raises
    ------
    InputError
        Shapes differ, the box lies outside or is smaller than the window, or ``bright`` is not positive.
    """
    if result.shape != reference.shape or reference.ndim != 4:
        raise InputError(
            f"Result {result.shape} and reference {reference.shape} must have one shape (frames, z, y, x)."
        )
    _, (x0, y0, x1, y1) = box_region(box, (reference.shape[1], reference.shape[2], reference.shape[3]))
    if min(x1 - x0, y1 - y0) < WINDOW:
        raise InputError(f"The box {x0},{y0},{x1},{y1} is too small for SSIM: it needs {WINDOW} x {WINDOW} pixels.")
    top = float(reference.max()) if bright is None else bright
    if not top > 0:
        raise InputError("The intensity that becomes 255 must be above zero: the reference is empty.")
    pair = [np.clip(np.rint(one[..., y0:y1, x0:x1] * (PEAK / top)), 0, PEAK) for one in (result, reference)]
    ours, truth = (one.astype(np.float64).reshape(-1, y1 - y0, x1 - x0) for one in pair)
    sigma = SIGMA * np.sqrt(2) if parity else SIGMA
    psnr, ssim = [], []
    for image, wanted in zip(ours, truth, strict=True):
        error = float(np.mean((image - wanted) ** 2))
        psnr.append(min(PSNR_LIMIT_DB, 10 * np.log10(PEAK**2 / error)) if error > 0 else PSNR_LIMIT_DB)
        ssim.append(_ssim(image, wanted, sigma))
    return {"cardiac_psnr_db": float(np.mean(psnr)), "cardiac_ssim": float(np.mean(ssim))}


def figures_by_rule(result: NDArray[Any], reference: NDArray[Any], rule: Any) -> dict[str, Any]:
    """``cardiac_figures`` in the box that ``rule`` names, with what they were computed with: all JSON-able.

    The intensity that becomes 255 is the 99.5th percentile of the reference.

    Parameters
    ----------
    result, reference
        Real (frames, z, y, x).
    rule
        ``"auto"`` for the box around what beats in the reference; ``"published"`` for the published box there, and
        the published kernel of SSIM; or (x0, y0, x1, y1) pixels, ends excluded, also as text.

    Returns
    -------
    dict
        ``cardiac_psnr_db``, ``cardiac_ssim``, ``rule`` (``given`` for a box), ``box`` (x0, y0, x1, y1), ``bright``.

    Raises
    ------
    InputError
        Nothing beats in the reference, or the box is wrong.
    """
    name = rule if isinstance(rule, str) and rule in ("auto", "published") else "given"
    box = _box(reference, rule, name)
    bright = float(np.percentile(reference, BRIGHT_PERCENT)) or float(reference.max())
    figures = cardiac_figures(result, reference, box, bright=bright, parity=name == "published")
    return {**figures, "rule": name, "box": list(box), "bright": bright}


def _box(reference: NDArray[Any], rule: Any, name: str) -> Box:
    from DynamicMRIReconLib.cardiac.beats import find_beats
    from DynamicMRIReconLib.cardiac.region import heart_box, published_box

    try:
        if name == "auto":
            return heart_box(reference, find_beats(reference).frames_per_beat)
        if name == "published":
            return published_box(reference)
    except InputError as error:
        raise InputError(f"CardiacPSNR and CardiacSSIM need a beating heart in the reference. {error}") from error
    if isinstance(rule, str) and not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*){3}", rule):
        raise InputError(
            f"The cardiac region {rule!r} is none: write auto, published, or four whole numbers x0,y0,x1,y1."
        )
    return box_region(rule, (reference.shape[1], reference.shape[2], reference.shape[3]))[1]


def _ssim(image: NDArray[np.float64], wanted: NDArray[np.float64], sigma: float) -> float:
    """Mean over the places where the window fits; scikit-image has no window of this width for any other sigma."""
    from scipy.ndimage import gaussian_filter

    half = WINDOW // 2

    def mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(gaussian_filter(x, sigma, radius=half)[half:-half, half:-half])

    mean_x, mean_y = mean(image), mean(wanted)
    var_x, var_y = mean(image**2) - mean_x**2, mean(wanted**2) - mean_y**2
    covariance = mean(image * wanted) - mean_x * mean_y
    same = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    return float((same / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))).mean())
