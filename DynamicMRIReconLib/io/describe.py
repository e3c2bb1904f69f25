"""What a file holds, for people and for programs."""

from __future__ import annotations

from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.io.sampling import sampling_kind

CARTESIAN_AXES = ("frames", "coils", "z", "ky", "kx")
SHOT_AXES = ("frames", "coils", "shots", "readout")
SLICED_SHOT_AXES = ("frames", "coils", "z", "shots", "readout")
IMAGE_AXES = ("frames", "z", "y", "x")


def describe(data: KSpace | ImageSeries | list[ImageSeries], *, path: str, format_name: str) -> dict[str, Any]:
    """A JSON-able dict.

    Keys: ``path``, ``format``, ``kind`` (``kspace``, ``series`` or ``stacks``), ``axes`` [{name, size}], ``matrix``
    (z, y, x), ``spacing_mm`` (x, y, z), ``origin_mm``, ``affine``, ``frames``, ``times_s`` {first, last,
    frame_interval_s}, ``dtype``, ``memory_bytes``, ``warnings``; k-space also ``coils``, ``sampling``,
    ``acceleration``, ``coil_maps``, ``prewhitened``; a series ``synthetic_frames`` and ``parts``; stacks a
    list ``stacks`` of such.
    """
    start: dict[str, Any] = {"path": path, "format": format_name}
    if isinstance(data, list):
        parts = [_one(part) for part in data]
        warnings = [sentence for part in parts for sentence in part["warnings"]]
        return {
            **start,
            "kind": "stacks",
            "stacks": parts,
            "memory_bytes": sum(part["memory_bytes"] for part in parts),
            "warnings": list(dict.fromkeys(warnings)),
        }
    return {**start, **_one(data)}


def _one(data: KSpace | ImageSeries) -> dict[str, Any]:
    array = data.samples if isinstance(data, KSpace) else data.array
    if isinstance(data, ImageSeries):
        names: tuple[str, ...] = IMAGE_AXES
    elif data.is_cartesian:
        names = CARTESIAN_AXES
    else:
        names = SHOT_AXES if array.ndim == 4 else SLICED_SHOT_AXES
    geometry, times = data.geometry, data.times_s
    interval = float(np.median(np.diff(times))) if len(times) > 1 else None
    matrix = data.matrix if isinstance(data, KSpace) else data.array.shape[1:]
    described: dict[str, Any] = {
        "kind": "kspace" if isinstance(data, KSpace) else "series",
        "axes": [{"name": name, "size": int(size)} for name, size in zip(names, array.shape, strict=True)],
        "matrix": [int(n) for n in matrix],
        "spacing_mm": geometry.spacing_mm.tolist(),
        "origin_mm": geometry.origin_mm.tolist(),
        "affine": geometry.affine.tolist(),
        "frames": data.frames,
        "times_s": {"first": float(times[0]), "last": float(times[-1]), "frame_interval_s": interval},
        "dtype": str(array.dtype),
        "memory_bytes": int(array.nbytes),
        "warnings": list(data.metadata.get("warnings", [])),
    }
    if isinstance(data, KSpace):
        extra = (data.trajectory, data.mask, data.coil_maps, data.density)
        described["memory_bytes"] += sum(int(part.nbytes) for part in extra if part is not None)
        described["coils"] = data.coils
        described["sampling"] = sampling_kind(data)
        described["acceleration"] = data.acceleration
        described["coil_maps"] = data.coil_maps is not None
        described["prewhitened"] = bool(data.metadata.get("prewhitened", False))
    else:
        described["synthetic_frames"] = int(np.sum(data.synthetic, dtype=int)) if data.synthetic is not None else 0
        described["parts"] = list(data.parts)
        described["memory_bytes"] += sum(int(part.nbytes) for part in data.parts.values())
    return described


def as_lines(description: dict[str, Any]) -> list[str]:
    """The dict of ``describe`` as lines of text, units written out."""
    words = {"kspace": "k-space", "series": "image series", "stacks": "image stacks"}
    lines = [f"{description['path']}: {words[description['kind']]} ({description['format']})"]
    if description["kind"] == "stacks":
        for number, stack in enumerate(description["stacks"], 1):
            lines.append(f"stack {number}")
            lines += [f"  {line}" for line in _lines_of_one(stack)]
    else:
        lines += [f"  {line}" for line in _lines_of_one(description)]
    lines.append(f"  memory       {_size(description['memory_bytes'])}")
    lines += [f"  warning      {sentence}" for sentence in description["warnings"]]
    return lines


def _lines_of_one(part: dict[str, Any]) -> list[str]:
    z, y, x = part["matrix"]
    axes = ", ".join(f"{axis['name']} {axis['size']}" for axis in part["axes"])
    spacing, origin = part["spacing_mm"], part["origin_mm"]
    lines = [
        f"axes         {axes} ({part['dtype']})",
        f"matrix       {x} x {y} x {z} (x, y, z), voxel {' x '.join(f'{s:.4g}' for s in spacing)} mm",
        f"origin       {', '.join(f'{o:.2f}' for o in origin)} mm (right, anterior, superior)",
    ]
    times = part["times_s"]
    if times["frame_interval_s"] is None:
        lines.append(f"times        1 frame at {times['first']:.4g} s")
    else:
        lines.append(
            f"times        {part['frames']} frames from {times['first']:.4f} to {times['last']:.4f} s, "
            f"{times['frame_interval_s'] * 1000:.4g} ms apart"
        )
    if part["kind"] == "kspace":
        maps = "in the file" if part["coil_maps"] else "to be estimated"
        lines.append(f"sampling     {part['sampling']}, acceleration {part['acceleration']:.3g}")
        lines.append(f"coils        {part['coils']}, sensitivity maps {maps}")
        if part["prewhitened"]:
            lines.append("noise        prewhitened with the file's noise scans")
        return lines
    if part["synthetic_frames"]:
        lines.append(f"synthetic    {part['synthetic_frames']} of the frames are interpolated")
    if part["parts"]:
        lines.append(f"parts        {', '.join(part['parts'])}")
    return lines


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.4g} {unit}"
        count /= 1024
    return f"{count:.4g} GiB"
