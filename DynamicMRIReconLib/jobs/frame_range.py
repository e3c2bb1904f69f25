"""A stretch of the frames: for a quick look at a long acquisition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Data


def only_frames(data: Data, first: int, end: int) -> Data:
    """Frames ``first`` to ``end - 1`` of k-space or a series, at their own times.

    Raises
    ------
    InputError
        There are no such frames, or the data are stacks.
    """
    if isinstance(data, list):
        raise InputError("Stacks have no frames to choose from: leave out frames.")
    if not 0 <= first < end <= data.frames:
        raise InputError(f"Frames {first}:{end} do not exist: there are {data.frames}, so 0:{data.frames} are all.")
    chosen = slice(first, end)

    def cut(array: Any) -> Any:
        return None if array is None else array[chosen]

    if isinstance(data, ImageSeries):
        parts = {name: part[chosen] for name, part in data.parts.items()}
        return replace(
            data, array=cut(data.array), times_s=cut(data.times_s), synthetic=cut(data.synthetic), parts=parts
        )
    assert isinstance(data, KSpace)
    return replace(
        data,
        samples=cut(data.samples),
        mask=cut(data.mask),
        trajectory=cut(data.trajectory),
        density=cut(data.density),
        times_s=cut(data.times_s),
    )


def cut_alike(reference: ImageSeries | None, frames: tuple[int, int]) -> ImageSeries | None:
    """The same frames of a reference that has them all; one that is as short already stays."""
    if reference is None or reference.frames <= frames[1] - frames[0]:
        return reference
    cut = only_frames(reference, *frames)
    assert isinstance(cut, ImageSeries)
    return cut
