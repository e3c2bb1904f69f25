"""Running one row, on whatever computer: what a Dask worker does, and the loop without Dask.

A row is a job in a folder that every computer of the batch sees. Whoever is given a row that another process still
runs (its worker was lost, but it was not) waits for that process; a row that has a record is not run again.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import DynamicMRIReconLib
from DynamicMRIReconLib.batch import record
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import files, local_process, warm
from DynamicMRIReconLib.jobs.hashes import files_of
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.local import LocalRunner, worker_environment
from DynamicMRIReconLib.jobs.lock import BUSY, is_running

_starters: dict[tuple[tuple[str, str], ...], warm.WarmStarter] = {}
_starting = threading.Lock()

#: seconds between looks at what other processes do
LOOK_S = 0.2
SAME_PATHS = "files and folders of a job must have the same path there as here"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Outcome:
    """How a row ended: ``state`` is ``done``, ``failed`` or ``cancelled``; ``message`` is empty when done."""

    state: str
    time_s: float = 0.0
    message: str = ""


def run_row(folder: str, stop: str, version: str, threads: int | None = None) -> dict[str, Any]:
    """Run the job in ``folder`` to its end, or find that it has been run; gives the fields of an ``Outcome``.

    Parameters
    ----------
    folder
        Job folder, with its ``job.json``.
    stop
        A file; the row is cancelled once it exists.
    version
        Of the program that asks: another one could give another result, so the row is refused.
    threads
        Number of threads of the computation; None: what the environment says.
    """
    reason = why_not_here(Path(folder), version)
    return asdict(Outcome("failed", message=reason) if reason else _run(Path(folder), Path(stop), threads))


def run_job_folder(folder: str, version: str, *, overwrite: bool = False) -> dict[str, Any]:
    """Run the job in ``folder`` as ``recon --job`` does, for a caller who watches its events; ``code`` and ``message``.

    It is cancelled by the folder's own cancel file, and when the folder is gone.
    """
    place = Path(folder)
    reason = why_not_here(place, version)
    if reason:
        return {"code": 2, "message": reason}
    runner = LocalRunner(extra_arguments=["--overwrite"] if overwrite else [])
    with _watching(lambda: (place / files.CANCEL).exists() or not place.is_dir(), runner.cancel):
        return {"code": runner.run(place), "message": ""}


def why_not_here(folder: Path, version: str) -> str:
    """A sentence that says why this computer cannot run the job in ``folder``; empty when it can."""
    if version != DynamicMRIReconLib.__version__:
        ours = DynamicMRIReconLib.__version__
        return f"The worker on {socket.gethostname()} has version {ours} of this program, not {version}: install that."
    if not (folder / files.JOB).is_file():
        return f"The worker on {socket.gethostname()} does not see {folder}: {SAME_PATHS}."
    for one in Job.load(folder).all_inputs():
        path = one.resolved(folder)
        try:
            files_of(path)
        except InputError:
            return f"The worker on {socket.gethostname()} does not see {path}: {SAME_PATHS}."
    return ""


def _run(folder: Path, stop: Path, threads: int | None) -> Outcome:
    while not stop.exists():
        if is_running(folder):
            time.sleep(LOOK_S)
            continue
        made = record.finished(folder)
        if made is not None:
            _prune(folder)
            return Outcome("done", float(made["wall_time_s"]))
        outcome = _run_once(folder, stop, threads)
        # Two may start at once; then one is refused by the lock, and waits for the other here.
        if BUSY not in outcome.message:
            return outcome
    return Outcome("cancelled", message="Cancelled before it started.")


def _run_once(folder: Path, stop: Path, threads: int | None) -> Outcome:
    # Whether a file may be replaced was asked before the batch started.
    environment = {} if threads is None else dict.fromkeys(THREADS, str(threads))
    start = _start(environment)
    runner = LocalRunner(extra_arguments=["--overwrite"], environment=environment, start=start)
    last: dict[str, Any] = {}

    def on_event(event: dict[str, Any]) -> None:
        last.clear()
        last.update(event)

    started = time.monotonic()
    with _watching(stop.exists, runner.cancel):
        code = runner.run(folder, on_event)
    elapsed = round(time.monotonic() - started, 2)
    if code == 0:
        _prune(folder)
        return Outcome("done", elapsed)
    if code == 3 and stop.exists():
        return Outcome("cancelled", elapsed, "Cancelled.")
    message = str(last.get("message") or "The worker ended without telling its result.")
    return Outcome("failed", elapsed, message)


def _start(environment: Mapping[str, str]) -> Callable[[list[str], Mapping[str, str]], local_process.Process]:
    """How workers with these variables are started; the first one starts what starts the others."""
    if not warm.available:
        return local_process.start
    with _starting:
        key = tuple(environment.items())
        if key not in _starters:
            _starters[key] = warm.WarmStarter({**worker_environment(), **environment})
        starter = _starters[key]

    def start(command: list[str], given: Mapping[str, str]) -> local_process.Process:
        try:
            return starter.start(command, given)
        except OSError:
            # Slower, and sure.
            return local_process.start(command, given)

    return start


def close() -> None:
    """End the processes that rows are started from."""
    with _starting:
        while _starters:
            _starters.popitem()[1].close()


class _watching:
    """Calls ``cancel`` once ``asked`` says so, as long as the ``with`` block lasts."""

    def __init__(self, asked: Callable[[], bool], cancel: Callable[[], None]) -> None:
        self._asked, self._cancel = asked, cancel
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            if self._asked():
                self._cancel()
                return


def _prune(folder: Path) -> None:
    """The output is where the manifest wants it: the job folder keeps only what tells about the run."""
    with suppress(OSError):
        for name in (files.RESULT, files.PREVIEW):
            files.remove(folder / name)
        files.remove_parts(folder)
