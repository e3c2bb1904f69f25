"""What a run will need, asked of the method itself without loading any data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from DynamicMRIReconLib.jobs.stand_in import stand_in as standIn


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
    data = standIn(description)
    if data is None:
        return None
    try:
        from DynamicMRIReconLib.jobs.memory import shortage
        from DynamicMRIReconLib.methods import registry

        method = registry.get(key)
        if method.why_not(data):
            return None
        on = "cpu" if device in ("auto", "") else device
        parameters = method.parameters(preset, **values)
        cost = method.estimate(data, parameters, on)
        short = None
        if device and not on.startswith("cuda"):  # only torch, which takes seconds to load, knows a GPU
            short = shortage(method, data, preset, values, on, parameters)
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
