"""Where the heart is: from what beats, and by the rule of the published figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation.regions import Box, harmonic, moving_region

#: side of the blur, in voxels
_BLUR = 5
_FAINT = 0.1
#: extent of the heart around its centroid, in standard deviations of what beats
_EXTENT = 2.5
_ROUNDS = 20


def heart_box(array: NDArray[Any], frames_per_beat: float | None = None) -> Box:
    """The box (x0, y0, x1, y1), ends excluded, around what changes at the heart's frequency; one for all slices.

    The magnitude of the first harmonic of a beat, summed over slices, is blurred by 5 x 5 and cleared where it is below
    a tenth of its maximum. Centroid and standard deviation of the rest are found again without what lies beyond
    2.5 deviations, until that changes nothing; the box reaches 2.5 deviations to each side.

    Parameters
    ----------
    array
        Real (frames, z, y, x).
    frames_per_beat
        None takes the whole series as one beat.

    Raises
    ------
    InputError
        If nothing moves, or there are fewer than three frames.
    """
    from scipy import ndimage

    if len(array) < 3 or moving_region(array) is None:
        raise InputError("Nothing beats in this series, so the heart cannot be found: name the region.")
    beat = len(array) if frames_per_beat is None else frames_per_beat
    turns = np.exp(-2j * np.pi * np.arange(len(array)) / beat)
    # a beat that does not divide the series: without the mean, or bright tissue would leak into the harmonic
    turns -= turns.mean()
    weight = ndimage.uniform_filter(harmonic(array, turns), _BLUR)
    weight[weight < _FAINT * weight.max()] = 0
    shape = weight.shape
    places = np.indices(shape).reshape(2, -1).astype(np.float64)
    weights = weight.ravel()
    inside = weights > 0
    for _ in range(_ROUNDS):
        centre = np.average(places[:, inside], axis=1, weights=weights[inside])
        spread = np.sqrt(np.average((places[:, inside] - centre[:, None]) ** 2, axis=1, weights=weights[inside]))
        reach = np.maximum(_EXTENT * spread, 2.0)
        kept = (weights > 0) & (np.abs(places - centre[:, None]) <= reach[:, None]).all(axis=0)
        if (kept == inside).all():
            break
        inside = kept
    return _bounded(centre - reach, centre + reach, (shape[0], shape[1]))


def published_box(array: NDArray[Any]) -> Box:
    """The box (x0, y0, x1, y1) of the published figures, from frames 0 and T // 2 of the first slice.

    Absolute difference of the frames blurred by 5 x 5, cut by Otsu's threshold, closed and opened by 5 x 5. Rows and
    columns of the pixels, listed row by row, lose their first and last 5 % **in that order**, so columns are trimmed
    at random; centre is their mean, side 5 standard deviations.

    Raises
    ------
    InputError
        If the frames are alike.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    first, middle = (ndimage.uniform_filter(array[t, 0].astype(np.float64), _BLUR) for t in (0, len(array) // 2))
    change = np.abs(first - middle)
    square = np.ones((_BLUR, _BLUR), bool)
    mask = np.zeros(change.shape, bool)
    if change.max() > 0:
        # the border counts as set for the closing, as a dilation followed by an erosion without a border would have it
        mask = ndimage.binary_closing(np.pad(change > threshold_otsu(change), _BLUR), square)[
            _BLUR:-_BLUR, _BLUR:-_BLUR
        ]
        mask = ndimage.binary_opening(mask, square)
    rows, columns = np.nonzero(mask)
    cut = int(0.05 * len(rows))
    rows, columns = (axis[cut : len(axis) - cut] for axis in (rows, columns))
    if not len(rows):
        raise InputError(
            "Frames 0 and T/2 of the first slice are alike, so the heart cannot be found: name the region."
        )
    centre = np.array([rows.mean(), columns.mean()])
    half = 2.5 * np.array([rows.std(), columns.std()])
    return _bounded(centre - half, centre + half, (change.shape[0], change.shape[1]))


def _bounded(low: NDArray[np.float64], high: NDArray[np.float64], shape: tuple[int, int]) -> Box:
    y0, x0 = (int(max(0, np.floor(one))) for one in low)
    y1, x1 = (int(min(side, np.ceil(one) + 1)) for one, side in zip(high, shape, strict=True))
    return x0, y0, x1, y1
