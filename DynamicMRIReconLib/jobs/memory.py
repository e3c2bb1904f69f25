"""Whether there is memory enough for a run, told before it starts, and what would fit instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import ReconError
from DynamicMRIReconLib.jobs import memory_limits
from DynamicMRIReconLib.jobs.stand_in import first_frames
from DynamicMRIReconLib.methods.base import Data, Method
from DynamicMRIReconLib.methods.common.estimates import input_bytes

_GIB = 2**30
PRESETS = ("standard", "fast", "faithful")


@dataclass(frozen=True)
class Shortage:
    """A run that needs more memory than there is.

    Attributes
    ----------
    sentence
        What it needs, what there is, and what would fit, fit to show.
    hopeless
        It needs more than there can ever be here, and not only more than is free now.
    """

    sentence: str
    hopeless: bool


def shortage(
    method: Method,
    data: Data,
    preset: str,
    given: dict[str, Any],
    device: str,
    parameters: Any = None,
    first: int = 0,
) -> Shortage | None:
    """None when the run fits into free memory.

    Parameters
    ----------
    method, data, preset, device
        Of the run; ``data`` may be a stand-in of the same sizes.
    given
        The parameters that the user has set, which other presets keep.
    parameters
        The checked parameters of the run, where they are known already.
    first
        Number of the first frame of ``data`` in its file.
    """
    parameters = parameters if parameters is not None else method.parameters(preset, **given)
    if set(given) >= set(method.Parameters.model_fields):
        # a form gives them all: the user's own are those that are not the preset's
        usual = method.parameters(preset).model_dump()
        given = {name: value for name, value in given.items() if value != usual[name]}
    needed = method.estimate(data, parameters, device).memory_bytes
    total, free = memory_limits.total_bytes(device), memory_limits.free_bytes(device)
    if free is None or needed <= free:
        return None
    hopeless = total is not None and needed > total
    place = f"{device} has" if device.startswith("cuda") else "there are"
    there = f"{place} {total / _GIB:.1f} GiB in all" if hopeless and total else f"only {free / _GIB:.1f} GiB are free"
    limits: dict[str, int | None] = {}

    def fits(bytes_needed: float, on: str) -> bool:
        if on not in limits:
            limits[on] = (memory_limits.total_bytes if hopeless else memory_limits.free_bytes)(on)
        limit = limits[on]
        return limit is None or bytes_needed <= limit

    found = next(
        (
            (what, size)
            for what, size, on in _others(method, data, preset, given, device, first, fits)
            if fits(size, on)
        ),
        None,
    )
    instead = (
        f"What fits: {found[0]} (about {found[1] / _GIB:.1f} GiB)."
        if found
        else "No preset and no number of frames makes it fit: it needs a computer with more memory."
    )
    doubt = "" if hopeless else ": it may fail"
    sentence = f"{method.title} needs about {needed / _GIB:.1f} GiB of memory here, and {there}{doubt}. {instead}"
    return Shortage(sentence, hopeless)


def _others(
    method: Method, data: Data, preset: str, given: dict[str, Any], device: str, first: int, fits: Any
) -> Iterator[tuple[str, float, str]]:
    """What else could be asked for, the nearest first: in words, the bytes that it needs, and its device."""

    def need(one: Data, name: str, values: dict[str, Any], on: str) -> float | None:
        try:
            return method.estimate(one, method.parameters(name, **values), on).memory_bytes
        except ReconError:  # the user's values do not go with that preset
            return None

    for name in dict.fromkeys([*PRESETS, *method.presets]):
        if name != preset and (size := need(data, name, given, device)) is not None:
            yield f"the preset {name}", size, device
    if "frames_at_once" in method.Parameters.model_fields and not isinstance(data, list):
        at_once = given.get("frames_at_once") or data.frames
        while (at_once := int(at_once) // 2) >= 1:
            if (size := need(data, preset, {**given, "frames_at_once": at_once}, device)) is not None:
                yield f"frames_at_once = {at_once}", size, device
    if device != "cpu" and (size := need(data, preset, given, "cpu")) is not None:
        yield "the device cpu", size, "cpu"
    if not isinstance(data, list):
        yield from _fewer_frames(method, data, first, device, lambda one: need(one, preset, given, device), fits)


def _fewer_frames(
    method: Method, data: KSpace | ImageSeries, first: int, device: str, need: Any, fits: Any
) -> Iterator[tuple[str, float, str]]:
    """The most frames that fit, found by halving; all frames are read, whatever is done with them."""
    few, many, its_size = 0, data.frames, 0.0
    while many - few > 1:
        middle = (few + many) // 2
        size = need(first_frames(data, middle))
        if size is not None:
            size += input_bytes(data) - input_bytes(first_frames(data, middle))
        if size is not None and fits(size, device):
            few, its_size = middle, size
        else:
            many = middle
    if few and method.why_not(first_frames(data, few)) is None:
        yield f"{few} of the {data.frames} frames (--frames {first}:{first + few})", its_size, device
