"""Slice by slice through a k-space, put together as one series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context


def reconstruct_slices(
    kspace: KSpace,
    context: Context,
    reconstruct: Callable[[KSpace, Context], NDArray[Any]],
    parts: tuple[str, ...] = (),
    times_s: NDArray[np.float64] | None = None,
    synthetic: NDArray[np.bool_] | None = None,
    beside: tuple[str, ...] = (),
    keep: bool = True,
) -> ImageSeries:
    """Call ``reconstruct(slice, context)`` -> (frames, z, y, x) for each slice and join the results along z.

    With names of ``parts`` it returns (parts, frames, z, y, x); the series is then their sum. With names of what
    comes ``beside`` the series, it returns (1 + beside, frames, z, y, x), the series first. The slices share one
    progress bar. Affine and metadata are those of ``kspace``, and so are the frame times unless ``times_s`` are
    given. A 3-D trajectory is one call for the whole volume. A run that goes on does not ask for slices that are done,
    unless ``keep`` is False.
    """
    volume = kspace.trajectory is not None and kspace.trajectory.shape[-1] == 3
    count = 1 if volume else kspace.matrix[0]

    def done(index: int, one: KSpace) -> NDArray[Any]:
        part = context.part(index, count)
        if count == 1 or not keep:
            return reconstruct(one, part)
        return part.once(f"slice {index + 1} of {count}", lambda inner: reconstruct(one, inner))

    array = _joined((done(index, one) for index, one in enumerate(kspace.slices())), count)
    context.release()
    named = dict(zip(parts, array, strict=True)) if parts else {}
    if parts:
        array = array.sum(axis=0)
    elif beside:
        array, named = array[0], dict(zip(beside, array[1:], strict=True))
    times = kspace.times_s if times_s is None else times_s
    return ImageSeries(array, kspace.affine, times, synthetic, dict(kspace.metadata), named)


def _joined(slices: Iterable[NDArray[Any]], count: int) -> NDArray[Any]:
    """``count`` arrays (..., frames, 1, y, x) joined along z, one after the other."""
    array: NDArray[Any] | None = None
    for z, one in enumerate(slices):
        if count == 1:
            return one
        if array is None:
            array = spool.empty((*one.shape[:-3], count, *one.shape[-2:]), one.dtype)
        for part in spool.blocks(one):
            array[part][..., z : z + 1, :, :] = one[part]
    assert array is not None
    return array


def frame_without_samples(kspace: KSpace) -> str | None:
    """A sentence if some frame of some slice of Cartesian k-space was not measured at all, else None."""
    if kspace.mask is None:
        return None
    empty = np.argwhere(~kspace.mask.any(axis=(2, 3)))
    if not len(empty):
        return None
    frame, z = empty[0]
    return (
        f"Frame {frame} of slice {z} has no sample at all ({len(empty)} such): this method reconstructs every frame "
        "from its own samples; group the acquisition into fewer frames."
    )
