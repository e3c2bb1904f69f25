"""What a job reads: its inputs, and the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.stacks import as_stacks, with_masks
from DynamicMRIReconLib.jobs.job import InputFile, Job
from DynamicMRIReconLib.jobs.reporting import Reporter
from DynamicMRIReconLib.methods.base import Data


def read_inputs(job: Job, folder: Path, reporter: Reporter) -> tuple[Data, ImageSeries | None]:
    """The data, several inputs as stacks with their masks, and the reference if there is one.

    Raises
    ------
    InputError
        If a file cannot be read, or the reference is no image series.
    """
    options = job.read.given()
    for name, one in (("trajectory", job.trajectory), ("coil_maps", job.coil_maps)):
        if one is not None:
            options[name] = one.resolved(folder)
    reference: ImageSeries | None = None
    if job.reference is not None:
        found = io.read(job.reference.resolved(folder))
        if not isinstance(found, ImageSeries):
            raise InputError(f"The reference {job.reference.path} is not an image series.")
        reference = found
    parts: list[Any] = []
    for one in job.inputs:
        reporter.stage(0.02, f"Reading {Path(one.path).name}")
        parts.append(_read_one(one, folder, reporter, options))
    if len(parts) == 1 and not job.masks:
        return parts[0], reference
    stacks = as_stacks(parts)
    if job.masks:
        stacks = with_masks(stacks, [_read_one(one, folder, reporter, {}) for one in job.masks])
    return stacks, reference


def _read_one(one: InputFile, folder: Path, reporter: Reporter, options: dict[str, Any]) -> Data:
    data: Data = io.read(one.resolved(folder), **options)
    for part in data if isinstance(data, list) else [data]:
        for sentence in part.metadata.get("warnings", []):
            reporter.warn(str(sentence))
    return data
