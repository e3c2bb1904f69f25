"""Arrays as the data classes want them, with a sentence for each way in which one can be wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError


def checked_array(value: Any, name: str, dtype: type, ndims: tuple[int, ...], axes: str) -> NDArray[Any]:
    """``value`` as an array of ``dtype`` with a sentence for each way in which it can be wrong.

    It is looked at, and converted, in blocks along its first axis.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise InputError(f"{name} must hold numbers, not {array.dtype}.")
    if array.ndim not in ndims:
        raise InputError(f"{name} must have the axes {axes}; its shape is {array.shape}.")
    if array.size == 0:
        raise InputError(f"{name} is empty: its shape is {array.shape}; at least one element on every axis is needed.")
    bad = _not_finite(array)
    if bad:
        raise InputError(f"{name} holds {bad} values that are not finite (NaN or infinite) out of {array.size}.")
    if array.dtype.kind == "c" and np.dtype(dtype).kind not in "c":
        raise InputError(f"{name} must be real, not complex.")
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        converted = spool.mapped(lambda block: block.astype(dtype), array, dtype)
    if array.dtype.kind in "iufc" and _not_finite(converted):
        raise InputError(f"{name} holds values too large for single precision: scale the data first.")
    return converted


def _not_finite(array: NDArray[Any]) -> int:
    """How many values are NaN or infinite."""
    if array.dtype.kind not in "fc":
        return 0
    parts = (array[part] for part in spool.blocks(array))
    return sum(int(part.size - np.count_nonzero(np.isfinite(part))) for part in parts)


def checked_times(times_s: Any, frames: int, name: str) -> NDArray[np.float64]:
    """``times_s`` as (frames,) seconds, finite and strictly increasing."""
    times = checked_array(times_s, f"{name}.times_s", np.float64, (1,), "(frames,)")
    if times.size != frames:
        raise InputError(f"{name} has {frames} frames but {times.size} frame times.")
    backward = np.flatnonzero(np.diff(times) <= 0)
    if backward.size:
        i = int(backward[0])
        raise InputError(
            f"Frame times must increase: frame {i + 1} is at {times[i + 1]:g} s, after frame {i} at {times[i]:g} s."
        )
    return times
