"""What can be refused before anything is read or computed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.hashes import files_of, is_folder
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.methods import registry


def check_job(job: Job, folder: Path) -> Any:
    """Check everything about a job that costs nothing to check; relative paths are taken from ``folder``.

    Returns
    -------
    Any
        The method's checked ``Parameters``.

    Raises
    ------
    InputError
        Unknown method, preset, parameter or simulation setting, value out of range, missing input, an output that
        cannot be written or is one of the inputs.
    """
    method = registry.get(job.method)
    unknown = [name for name in job.parameters if name not in method.Parameters.model_fields]
    if unknown:
        known = ", ".join(method.Parameters.model_fields) or "none"
        raise InputError(f"Method {job.method} has no parameter {unknown[0]!r}; it has: {known}.")
    values = method.parameters(job.preset, **job.parameters)
    if job.simulate is not None:
        simulation_parameters(job.simulate)
    if (job.masks or job.transforms) and method.input_kind != "stacks":
        what = "Masks go" if job.masks else "Transforms come"
        raise InputError(f"{what} with methods that make one volume of stacks; {job.method} is none: leave them out.")
    if job.transforms and job.output is None:
        raise InputError("Transforms are written beside the output: name an output, or leave them out.")
    if job.cardiac is not None and job.reference is None and job.simulate is None:
        raise InputError("Cardiac figures compare the result with a reference: name one, or leave them out.")
    for one in job.all_inputs():
        path = one.resolved(folder)
        if not is_folder(path):
            files_of(path)
    output = job.output_path(folder)
    if output is not None:
        check_output(output, [one.resolved(folder) for one in job.all_inputs()], parts=method.parts_of(values))
    return values


def check_output(
    path: Path,
    inputs: list[Path],
    *,
    holds: Literal["series", "kspace"] | None = "series",
    parts: tuple[str, ...] = (),
) -> None:
    """See that ``path`` can be written as a file and is none of ``inputs``.

    ``holds`` is what ``DynamicMRIReconLib.io`` shall write there, None when something else writes the file; ``parts``
    are the names of the parts that are written beside a series.

    Raises
    ------
    InputError
        If not: what is wrong, what to do.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        # a name that is too long, or holds what no name may
        raise InputError(f"The output {path} cannot be a file: {getattr(error, 'strerror', None) or error}.") from error
    targets = [path] if holds is None else output_targets(path, parts)
    if not path.parent.is_dir():
        raise InputError(f"The output folder {path.parent} does not exist: create it first, or name another.")
    if path.is_dir():
        raise InputError(f"The output {path} is a folder that exists already: name a file in it, or a new one.")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"The output folder {path.parent} may not be written: name another.")
    for source in inputs:
        if source.is_dir():
            if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(source)):
                raise InputError(f"The output {path} lies in the input folder {source}: name a place outside it.")
            continue
        taken = {os.path.realpath(part) for part in [source, *files_of(source)]}
        if any(os.path.realpath(target) in taken for target in targets):
            raise InputError(f"The output {path} is also an input: name another file, inputs are never changed.")
    if holds is not None:
        from DynamicMRIReconLib.io import formats

        _rehearse(formats.for_writing(path)[1], holds)


def output_targets(path: Path, parts: tuple[str, ...] = ()) -> list[Path]:
    """Every file that writing a series with these ``parts`` to ``path`` may make.

    Raises
    ------
    InputError
        No format that is written has this suffix.
    """
    from DynamicMRIReconLib.io import formats
    from DynamicMRIReconLib.io.part_files import part_paths

    module, suffix = formats.for_writing(path)
    base = str(path)[: -len(suffix)]
    # A format of several files writes more than the one that is named.
    companions = [Path(base + other) for other in module.SUFFIXES if hasattr(module, "parts")]
    return list(dict.fromkeys([path, *part_paths(path, parts).values(), *companions]))


def simulation_parameters(values: dict[str, Any]) -> Any:
    """The checked ``SimulationParameters`` of a job's ``simulate`` entry.

    Raises
    ------
    InputError
        An unknown name or a value that is out of range.
    """
    from pydantic import ValidationError

    from DynamicMRIReconLib.acquisition.simulate import SimulationParameters

    try:
        return SimulationParameters(**values)
    except ValidationError as error:
        item = error.errors()[0]
        name = ".".join(str(step) for step in item["loc"])
        raise InputError(f"Simulated acquisition: {name}: {item['msg'][0].lower()}{item['msg'][1:]}.") from error
    except TypeError as error:
        raise InputError(f"Simulated acquisition: {error}.") from error


def _rehearse(suffix: str, holds: str) -> None:
    """Write something tiny of the same kind: only a format itself knows what it can hold.

    Raises
    ------
    InputError
        The format cannot hold it.
    """
    from DynamicMRIReconLib import io

    data: KSpace | ImageSeries
    if holds == "kspace":
        data = KSpace(np.ones((2, 1, 1, 4, 4), np.complex64), np.eye(4), np.arange(2.0))
    else:
        data = ImageSeries(np.ones((2, 1, 4, 4), np.complex64), np.eye(4), np.arange(2.0))
    with tempfile.TemporaryDirectory(prefix="dynamic-mri-recon-") as folder:
        io.write(Path(folder) / f"output{suffix}", data)
