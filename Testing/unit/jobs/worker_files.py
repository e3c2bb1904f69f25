"""What the tests of the worker have in common: a job folder changed, listed and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconLib.jobs.events import read_events
from DynamicMRIReconLib.jobs.job import Job

STAYS_ON_FAILURE = {"job.json", "events.jsonl", "log.txt"}


def change(folder: Path, **entries: Any) -> None:
    job = Job.load(folder)
    Job(**{**job.model_dump(), **entries}).save(folder)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def last(folder: Path) -> dict[str, Any]:
    return read_events(folder / "events.jsonl")[-1]
