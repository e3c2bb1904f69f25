"""What a run will need, asked of the method itself without loading any data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries, KSpace


@dataclass(frozen=True)
class Cost:
    """Memory in bytes, seconds, and where there is too little memory what the run itself will say of it."""

    memory: float
    seconds: float
    shortage: str = ""


def estimate(
    key: str, values: dict[str, Any], description: dict[str, Any] | None, device: str, preset: str = "standard"
) -> Cost | None:
    """What it will cost, or None when input or packages are not there to tell.

    ``device`` is empty where another computer computes: nobody here knows its memory.
    """
    stand_in = standIn(description)
    if stand_in is None:
        return None
    try:
        from DynamicMRIReconLib.jobs.memory import shortage
        from DynamicMRIReconLib.methods import registry

        method = registry.get(key)
        if method.why_not(stand_in):
            return None
        on = "cpu" if device in ("auto", "") else device
        parameters = method.parameters(preset, **values)
        cost = method.estimate(stand_in, parameters, on)
        short = None
        if device and not on.startswith("cuda"):  # only torch, which takes seconds to load, knows a GPU
            short = shortage(method, stand_in, preset, values, on, parameters)
    except Exception:
        # An estimate is a courtesy: whatever goes wrong here is said when the run itself checks its request.
        return None
    return Cost(float(cost.memory_bytes), float(cost.seconds), short.sentence if short is not None else "")


def simulated(description: dict[str, Any] | None, simulation: dict[str, Any] | None) -> dict[str, Any] | None:
    """The description of the k-space that will be simulated from the described images; else as it is."""
    if description is None or simulation is None:
        return description
    z, y, x = description["matrix"]
    sizes = {"frames": description["frames"], "coils": simulation["coils"], "z": z}
    if simulation["trajectory"] == "cartesian":
        sizes |= {"ky": y, "kx": x}
    else:
        sizes |= {"shots": simulation["shots"], "readout": 2 * max(y, x)}
    axes = [{"name": name, "size": size} for name, size in sizes.items()]
    return {**description, "kind": "kspace", "axes": axes}


def standIn(description: dict[str, Any] | None) -> Any:
    """Data (k-space, a series, or a list of stacks) with the described sizes that take no memory: every element is the
    same one.
    """
    if description and description.get("kind") == "stacks":
        stacks = [standIn({**stack, "kind": "series"}) for stack in description["stacks"]]
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
        return _unchecked(ImageSeries, array=array, synthetic=synthetic, parts={}, **common)
    cartesian = "readout" not in sizes
    return _unchecked(
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


def _unchecked(cls: Any, **values: Any) -> Any:
    # The checks of the data classes would go through every element, which here are one.
    made = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made
