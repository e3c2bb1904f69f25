"""Data that stand for others of the same sizes: enough to ask a method what it needs, without any memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries, KSpace


def stand_in(description: dict[str, Any] | None) -> Any:
    """Data (k-space, a series, or a list of stacks) with the sizes that ``io.info`` tells; None of other descriptions.

    They take no memory: every element is the same one.
    """
    if description and description.get("kind") == "stacks":
        stacks = [stand_in({**stack, "kind": "series"}) for stack in description["stacks"]]
        names = [stack.get("source") for stack in description["stacks"]]
        return [_named(stack, name) for stack, name in zip(stacks, names, strict=True)]
    if not description or description.get("kind") not in ("kspace", "series"):
        return None
    frames, matrix = int(description["frames"]), tuple(int(n) for n in description["matrix"])
    sizes = {axis["name"]: int(axis["size"]) for axis in description["axes"]}
    shape = tuple(sizes.values())
    common = {"affine": np.array(description["affine"]), "times_s": np.arange(frames, dtype=float), "metadata": {}}
    if description["kind"] == "series":
        array, synthetic = _same(0, np.float32, shape), np.zeros(frames, bool)
        return unchecked(ImageSeries, array=array, synthetic=synthetic, parts={}, **common)
    cartesian = "readout" not in sizes
    return unchecked(
        KSpace,
        samples=_same(1, np.complex64, shape),
        trajectory=None if cartesian else _same(0, np.float32, (frames, sizes["shots"], sizes["readout"], 2)),
        mask=_same(1, bool, (frames, *matrix)) if cartesian else None,
        image_shape=matrix,
        coil_maps=None,
        density=None,
        **common,
    )


def _named(series: ImageSeries, name: str | None) -> ImageSeries:
    if name:
        series.metadata["source"] = name
    return series


def _same(value: Any, dtype: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(np.array(value, dtype), shape)


def first_frames(data: KSpace | ImageSeries, count: int) -> Any:
    """The same data with fewer frames: views that no check goes through."""
    framed = ("samples", "trajectory", "mask", "density", "times_s", "array", "synthetic")
    values = vars(data).items()
    return unchecked(type(data), **{name: v[:count] if name in framed and v is not None else v for name, v in values})


def unchecked(cls: Any, **values: Any) -> Any:
    """A data class without the checks of its making, which would go through every element."""
    made = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made
