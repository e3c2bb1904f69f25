"""What is done already: the job folder of a row, compared with what the manifest asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.part_files import part_paths
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.fingerprint import fingerprint
from DynamicMRIReconLib.jobs.hashes import sha256_of
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.privacy import redactor_of
from DynamicMRIReconLib.jobs.transforms import transforms_of
from DynamicMRIReconLib.methods import registry

Record = dict[str, Any]


def finished(folder: Path) -> Record | None:
    """The record of the run in a job folder, if it came to its end and what it wrote is still as it was."""
    try:
        record: Record = json.loads((folder / files.PROVENANCE).read_text(encoding="utf-8"))
        job = Job.load(folder)
        if all(sha256_of(path) == digest for path, digest in _written(job, record).items()):
            return record
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No record, or none of ours; a result that is gone is an InputError, which is a ValueError.
        return None
    return None


def done_before(folder: Path, job: Job, each_piece: Callable[[], None] = lambda: None) -> Record | None:
    """The record of an earlier run that did what ``job`` asks for, on the same input, with this version.

    ``each_piece`` is called every 4 MiB of an input and may raise to stop.

    Raises
    ------
    InputError
        An input cannot be read.
    """
    record = finished(folder)
    if record is None or Job.load(folder).output != job.output:
        return None
    wanted = job.model_copy(deep=True)
    for one in wanted.all_inputs():
        one.sha256 = sha256_of(Path(one.path), each_piece)
    return record if record.get("fingerprint") == fingerprint(wanted, _values(wanted)) else None


def check_replaced(folder: Path, job: Job) -> None:
    """See that no file is in the way of the row's output.

    Raises
    ------
    InputError
        One is that this row did not make.
    """
    assert job.output is not None
    output = Path(job.output)
    parts = registry.get(job.method).parts_of(_values(job))
    there = [p for p in [output, *part_paths(output, parts).values(), *transforms_of(job, output)] if p.exists()]
    if not there:
        return
    record = finished(folder)
    ours = {} if record is None else _written(Job.load(folder), record)
    started = _start_of_unfinished(folder, job)
    for path in there:
        if path not in ours and (started is None or path.stat().st_mtime < started):
            raise InputError(
                f"the output {path} exists already and is not from this batch: move it away, name another, or repeat "
                "with --overwrite."
            )


def _start_of_unfinished(folder: Path, job: Job) -> float | None:
    """When a run began that was killed before it wrote its record: what it wrote before that is ours."""
    try:
        if not (folder / files.PROVENANCE).exists() and Job.load(folder).output == job.output:
            return (folder / files.JOB).stat().st_mtime
    except (OSError, InputError):
        return None
    return None


def _written(job: Job, record: Record) -> dict[Path, str]:
    """What a run wrote for the user, with the SHA-256 of each file; transforms count as they are."""
    assert job.output is not None
    output, written = Path(job.output), record["output"]
    if written["path"] != redactor_of(job)(str(output)):
        raise ValueError("the record is of another output")
    beside = part_paths(output, tuple(written["parts"]))
    found = {beside[name]: str(one["sha256"]) for name, one in written["parts"].items()}
    return {output: str(written["sha256"]), **found, **{path: sha256_of(path) for path in transforms_of(job, output)}}


def _values(job: Job) -> Any:
    return registry.get(job.method).parameters(job.preset, **job.parameters)
