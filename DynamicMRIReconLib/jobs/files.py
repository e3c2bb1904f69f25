"""The names of the files in a job folder, and how its small files are written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

JOB = "job.json"
EVENTS = "events.jsonl"
LOG = "log.txt"
PREVIEW = "preview.npy"
RESULT = "result.seq.nrrd"
PROVENANCE = "provenance.json"
CANCEL = "cancel"
LOCK = "lock"
#: folder with what a long run keeps of its state
STATE = "state"

#: the parts of a result have names of this form: ``result.low-rank.seq.nrrd``
RESULT_PARTS = "result.*.seq.nrrd"

#: what a run makes, beside the parts of its result; gone again when the job is repeated
MADE_BY_A_RUN = (EVENTS, LOG, PREVIEW, RESULT, PROVENANCE)


def remove_parts(folder: Path) -> None:
    """Delete the parts of a result."""
    for path in folder.glob(RESULT_PARTS):
        remove(path)


def remove_state(folder: Path) -> None:
    """Delete what runs kept of their state."""
    path = folder / STATE
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


def temporary_prefix(pid: int) -> str:
    """How the names of unfinished files of process ``pid`` begin."""
    return f".tmp-{pid}-"


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON; the file appears whole or not at all."""
    temporary = path.with_name(f"{temporary_prefix(os.getpid())}{path.name}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        os.replace(temporary, path)  # noqa: PTH105  one atomic system call
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Delete a file (or the link itself, never what it points to); nothing happens when there is none."""
    with suppress(FileNotFoundError):
        path.unlink()


def remove_all(paths: Iterable[Path]) -> None:
    """Delete files and folders."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove(path)


def remove_unfinished(folder: Path, pid: int) -> None:
    """Delete the unfinished files and folders that process ``pid`` left in ``folder`` when it was killed."""
    with suppress(OSError):
        for path in folder.iterdir():
            if not path.name.startswith(temporary_prefix(pid)):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
                continue
            with suppress(OSError):
                remove(path)
