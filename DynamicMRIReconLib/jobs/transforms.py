"""Where a job writes the registration of its stacks."""

from __future__ import annotations

from pathlib import Path

from DynamicMRIReconLib.io import formats
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.registration.transform_files import transform_paths


def transforms_of(job: Job, output: Path) -> list[Path]:
    """The files beside ``output``, one for each input; none where the job does not ask for them."""
    if not job.transforms:
        return []
    return transform_paths(output, formats.for_writing(output)[1], len(job.inputs))
