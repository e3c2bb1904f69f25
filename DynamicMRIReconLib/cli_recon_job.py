"""The job that the options of ``recon`` ask for."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import read_options, settings, value_of
from DynamicMRIReconLib.errors import InputError


def job_of(arguments: argparse.Namespace) -> Any:
    """The job that the command line asks for, checked as far as it can be without reading the input.

    Raises
    ------
    InputError
        Something in it cannot be done.
    """
    from DynamicMRIReconLib.jobs.checks import check_job
    from DynamicMRIReconLib.jobs.job import Job

    options = read_options(arguments)
    files = {name: _file(options.pop(name, None)) for name in ("trajectory", "coil_maps")}
    simulation = None
    if arguments.simulate is not None:
        pairs = settings(arguments.simulate.split(","), "--simulate")
        simulation = {name: value_of(text) for name, text in pairs.items()}
    parameters = _parameters(arguments.method, settings(arguments.settings, "--set"))
    if arguments.grid is not None:
        parameters["grid"] = _grid_of(arguments.method, Path(arguments.grid))
    job = Job.of(
        method=arguments.method,
        preset=arguments.preset or "standard",
        parameters=parameters,
        inputs=[_file(name) for name in arguments.inputs],
        masks=[_file(name) for name in arguments.masks or []],
        transforms=arguments.transforms,
        read=options,
        reference=_file(arguments.reference),
        cardiac=_cardiac(arguments.cardiac),
        simulate=simulation,
        frames=_frames(arguments.frames),
        data_consistency=arguments.data_consistency,
        private=arguments.private,
        memory_check=not arguments.no_memory_check,
        device=_device(arguments.device or "auto"),
        seed=arguments.seed or 0,
        output=Path(arguments.output),
        **files,
    )
    values = check_job(job, Path.cwd()).model_dump(mode="json")
    job.parameters = {name: values[name] for name in job.parameters}
    return job


def _grid_of(method: str, path: Path) -> dict[str, Any]:
    """The voxel grid of a volume as the parameter ``grid``."""
    from DynamicMRIReconLib.cli_common import existing, read_series
    from DynamicMRIReconLib.methods import registry

    if "grid" not in registry.get(method).Parameters.model_fields:
        raise InputError(f"--grid goes with methods that make one volume of stacks; {method} is none: leave it out.")
    volume = read_series(existing(str(path)))
    return {"shape": [int(n) for n in volume.array.shape[1:]], "affine": volume.affine.tolist()}


def _file(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _frames(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+):(\d+)", text)
    if match is None:
        raise InputError(f"--frames {text!r}: write first:end, for example 8:16 for frames 8 to 15.")
    return int(match[1]), int(match[2])


def _cardiac(text: str | None) -> str | None:
    words = None if text is None else "".join(text.split())
    if words is not None and not re.fullmatch(r"auto|published|\d+(,\d+){3}", words):
        raise InputError(f"--cardiac {text!r}: write auto, published, or four whole numbers x0,y0,x1,y1.")
    return words


def _device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", name):
        raise InputError(f"Unknown device {name!r}: use auto, cpu, cuda, cuda:n or mps.")
    return name


def _parameters(key: str, texts: dict[str, str]) -> dict[str, Any]:
    """The texts of ``--set`` as values of the method's parameter types."""
    from DynamicMRIReconLib.methods import registry

    entries = {entry["name"]: entry for entry in registry.describe_parameters(registry.get(key))}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        entry = entries.get(name, {})
        if entry.get("type") == "choice":
            values[name] = next((choice for choice in entry["choices"] if str(choice) == text), text)
        elif entry.get("nullable") and text.lower() in ("none", "null"):
            values[name] = None
        elif entry.get("type") in ("array", "object"):
            values[name] = value_of(text)
        else:
            values[name] = text
    return values
