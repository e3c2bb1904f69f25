"""An input in words, whether it is a node or a file."""

from __future__ import annotations

import importlib.util
from typing import Any

from DynamicMRIReconSlicer import sequenceReader
from DynamicMRIReconSlicer.translation import tr as _

_SAMPLING = {"cartesian": "Cartesian"}
#: the library's readers and the command that describes files cannot start without these
_NEEDED = ("pydantic", "h5py", "nrrd")


def canReadFiles() -> bool:
    """Whether the packages that read files are installed."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


def ofNode(node: Any) -> dict[str, Any]:
    """Description of a sequence in the scene, as the command ``info`` gives it of a file, without its ``methods``.

    Raises
    ------
    InputError
        It holds no images of one grid.
    """
    from DynamicMRIReconLib.io.describe import describe

    series = sequenceReader.toSeries(node)
    description = describe(series, path=node.GetName(), format_name=_("node of the scene"))
    if canReadFiles():
        from DynamicMRIReconLib.methods.common.heart_facts import heart_facts

        description["heart"] = heart_facts(series)
    return description


def lines(description: dict[str, Any]) -> list[str]:
    """The description as short lines for the panel."""
    if description.get("kind") == "stacks":
        stacks = description["stacks"]
        found = [
            _("{count} image stacks").format(count=len(stacks)),
            *(f"{n}: {_grid(stack)}" for n, stack in enumerate(stacks, 1)),
        ]
    else:
        sizes = {axis["name"]: axis["size"] for axis in description["axes"]}
        first = ["k-space" if description["kind"] == "kspace" else "Images", _count(description["frames"], "frame")]
        if "coils" in description:
            first += [
                _count(description["coils"], "coil"),
                _SAMPLING.get(description["sampling"], description["sampling"]),
            ]
        if "shots" in sizes:
            first.append(_("{count} a frame").format(count=_count(sizes["shots"], "shot")))
        found = [", ".join(first), _grid(description)]
        if description.get("acceleration", 1.0) > 1.05:
            found.append(_("Undersampled {acceleration:.1f} times").format(acceleration=description["acceleration"]))
        interval = description["times_s"]["frame_interval_s"]
        if interval:
            found.append(
                _("A frame every {interval_ms:.4g} ms ({rate:.3g} frames/s)").format(
                    interval_ms=1000 * interval, rate=1 / interval
                )
            )
    return found + [_("Note: {warning}").format(warning=warning) for warning in description["warnings"]]


def _grid(part: dict[str, Any]) -> str:
    z, y, x = part["matrix"]
    slices = _(", {z} slices").format(z=z) if z > 1 else ""
    return _("Matrix {x} x {y}{slices}, voxel {size} mm").format(
        x=x, y=y, slices=slices, size=" x ".join(f"{size:.4g}" for size in part["spacing_mm"])
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
