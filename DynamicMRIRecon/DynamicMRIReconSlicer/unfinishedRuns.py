"""Runs that did not come to their end but kept how far they were: asked for again, they go on from there.

The job folder of such a run stays: while Slicer runs, and for a week where Slicer itself was ended in the middle.
"""

from __future__ import annotations

import filecmp
import logging
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from DynamicMRIReconLib.errors import ReconError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.lock import is_running
from DynamicMRIReconSlicer.jobFolder import PREFIX, JobFolder

#: of one session; what came before is removed
MOST = 3
KEPT_S = 7 * 24 * 3600.0

_kept: list[JobFolder] = []


def keepOrRemove(folder: JobFolder) -> None:
    """Keep the folder of a run that ended too early if it can go on, else remove it."""
    if not (folder.path / files.STATE).is_dir():
        folder.remove()
        return
    _kept.append(folder)
    while len(_kept) > MOST:
        _kept.pop(0).remove()


def goOn(folder: Path) -> None:
    """Give the job in ``folder`` what an unfinished run of the same request kept; the worker judges whether it fits."""
    for old in list(_kept):
        if _moved(old.path, folder):
            _kept.remove(old)
            old.remove()
            return
    for path in _orphans():
        hasState = (path / files.STATE).is_dir()
        if not hasState or _moved(path, folder) or time.time() - path.stat().st_mtime > KEPT_S:
            shutil.rmtree(path, ignore_errors=True)


def forget() -> None:
    """Remove what this session keeps: Slicer closes."""
    while _kept:
        _kept.pop().remove()


def _orphans() -> list[Path]:
    """Job folders whose Slicer is not there any more, and whose worker has ended."""
    found = []
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            owner = path.name.removeprefix(PREFIX).partition("-")[0]
            if not owner.isdigit() or _alive(int(owner)) or path.is_symlink() or not os.access(path, os.W_OK):
                continue
            if not is_running(path):
                found.append(path)
    return found


def _alive(pid: int) -> bool:
    try:
        import psutil

        return bool(psutil.pid_exists(pid))
    except ImportError:
        # it cannot be told: leave the folder alone
        return True


def _moved(old: Path, new: Path) -> bool:
    """Move the state from one job folder to the other when both hold the same request."""
    try:
        if not (old / files.STATE).is_dir() or not _sameRequest(old, new):
            return False
        (old / files.STATE).rename(new / files.STATE)
    except (OSError, ReconError) as error:
        logging.warning("%s: %s", old, error)
        return False
    return True


def _sameRequest(old: Path, new: Path) -> bool:
    if _job(old) != _job(new):
        return False
    names = sorted(path.name for path in new.glob("*.npz"))
    return all(filecmp.cmp(old / name, new / name, shallow=False) for name in names)


def _job(folder: Path) -> str:
    """The job, the folder's own name and hashes of inputs (known only after a run) aside."""
    # not at the top: it needs a package that Slicer does not bring
    from DynamicMRIReconLib.jobs.job import Job

    job = Job.load(folder)
    for one in job.all_inputs():
        one.sha256 = None
        one.path = one.path.removeprefix(f"{folder}{os.sep}")
    return job.model_dump_json()
