"""Where to look: a box given by the user, the box around what moves, and the moving pixels themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError

Box = tuple[int, int, int, int]

_MOVING_PART = 0.25
_BOX_PART = 0.2
_BOX_SMOOTHING = 1 / 64


def moving_region(reference: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Pixels whose standard deviation over time is at least a quarter of its 99.5th percentile, (z, y, x).

    The percentile stands for the maximum but is not set by single bright pixels. None when nothing changes.
    """
    if len(reference) < 2:
        return None
    deviation = _deviation(reference)
    # Rounding alone gives a deviation in a series without motion.
    if deviation.max() <= 1e-6 * spool.peak(reference):
        return None
    top = float(np.percentile(deviation, 99.5)) or float(deviation.max())
    return np.asarray(deviation >= _MOVING_PART * top)


def _deviation(array: NDArray[Any]) -> NDArray[np.float64]:
    """Standard deviation over the frames, block by block."""
    mean, squares = np.zeros(array.shape[1:]), np.zeros(array.shape[1:])
    for part in spool.blocks(array):
        mean += array[part].sum(axis=0, dtype=np.float64) / len(array)
    for part in spool.blocks(array):
        squares += ((array[part] - mean) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(squares / len(array)))


def harmonic(array: NDArray[Any], turns: NDArray[np.complex128]) -> NDArray[np.float64]:
    """(y, x): magnitude of the sum of ``turns`` (frames,) times real frames (frames, z, y, x), summed over slices."""
    found = np.zeros(array.shape[1:], np.complex128)
    for part in spool.blocks(array):
        found += np.tensordot(turns[part], array[part], axes=(0, 0))
    return np.asarray(np.abs(found).sum(axis=0))


def moving_box(reference: NDArray[Any]) -> Box:
    """The box (x0, y0, x1, y1) around the largest area that changes at the slowest frequency of the series.

    The first harmonic over time, summed over slices and smoothed by 1/64 of the image's shorter side, is cut at a
    fifth of its maximum; the box around the largest connected part is widened by a tenth. For a cine over one
    heartbeat that is the heart.

    Raises
    ------
    InputError
        Nothing changes, or there are fewer than three frames.
    """
    from scipy import ndimage

    if len(reference) < 3 or moving_region(reference) is None:
        raise InputError("Nothing moves in the reference, so the region auto cannot be found: give x0,y0,x1,y1.")
    turns = np.exp(-2j * np.pi * np.arange(len(reference)) / len(reference))
    smooth = ndimage.gaussian_filter(harmonic(reference, turns), _BOX_SMOOTHING * min(reference.shape[-2:]))
    labels, count = ndimage.label(smooth >= _BOX_PART * smooth.max())
    sizes = ndimage.sum_labels(np.ones_like(smooth), labels, np.arange(1, count + 1))
    rows, columns = ndimage.find_objects(labels)[int(np.argmax(sizes))]
    wider_y, wider_x = ((axis.stop - axis.start) // 10 + 1 for axis in (rows, columns))
    height, width = smooth.shape
    return (
        max(0, columns.start - wider_x),
        max(0, rows.start - wider_y),
        min(width, columns.stop + wider_x),
        min(height, rows.stop + wider_y),
    )


def box_region(box: Any, shape_zyx: tuple[int, int, int]) -> tuple[NDArray[np.bool_], Box]:
    """The box as bool (z, y, x) over all slices, and as integers; ``box`` is x0, y0, x1, y1 with x1 and y1 excluded.

    Raises
    ------
    InputError
        Not four whole numbers, empty, or outside the image.
    """
    parts = box.split(",") if isinstance(box, str) else box
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or any(not number.is_integer() for number in numbers):
        raise InputError(f"The region must be auto or four whole numbers x0,y0,x1,y1, not {box!r}.")
    x0, y0, x1, y1 = (int(number) for number in numbers)
    _, height, width = shape_zyx
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise InputError(
            f"The region {x0},{y0},{x1},{y1} is empty or outside the image of {width} x {height} pixels: "
            "x0 < x1 and y0 < y1 are counted from 0."
        )
    region = np.zeros(shape_zyx, bool)
    region[:, y0:y1, x0:x1] = True
    return region, (x0, y0, x1, y1)
