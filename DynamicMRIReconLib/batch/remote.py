"""One job on a Dask scheduler that runs already, watched from here as if it ran here."""

from __future__ import annotations

import time
from asyncio import CancelledError
from collections.abc import Callable
from pathlib import Path
from typing import Any

import DynamicMRIReconLib
from DynamicMRIReconLib.batch.cluster import Tls, need_dask, scheduler_client
from DynamicMRIReconLib.batch.engines import has_gpus, in_dask_words, resources_of
from DynamicMRIReconLib.batch.task import run_job_folder
from DynamicMRIReconLib.errors import ReconError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import FINAL_EVENTS, EventReader
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.local import request_cancel

LOG = "dask.log"
_LOOK_S = 0.05
_CODES = {"done": 0, "cancelled": 3}

OnEvent = Callable[[dict[str, Any]], None]


class SchedulerRunner:
    """Runs a job as ``jobs.local.LocalRunner`` does, on a worker of a scheduler that sees the job folder too.

    Its events come through the folder's ``events.jsonl``; cancelling goes through its cancel file.
    """

    def __init__(self, address: str, tls: Tls, *, overwrite: bool = False) -> None:
        self._address, self._tls, self._overwrite = address, tls, overwrite
        self._folder: Path | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Ask the job to stop. Safe in a signal handler."""
        self._cancelled = True
        if self._folder is not None:
            request_cancel(self._folder)

    def run(self, folder: str | Path, on_event: OnEvent = lambda event: None) -> int:
        """Run the job in ``folder`` to its end; gives the exit code, as ``LocalRunner.run``.

        That Dask is not installed or no scheduler answers is told by an ``error`` event like all else.
        """
        self._folder = folder = Path(folder).absolute()
        last: dict[str, Any] = {}

        def tell(event: dict[str, Any]) -> None:
            last.clear()
            last.update(event)
            on_event(event)

        try:
            code, message = self._submitted(folder, tell)
        except ReconError as error:
            code, message = error.exit_code, str(error)
        if last.get("event") not in FINAL_EVENTS:
            kind = "input" if code == 2 else "internal"
            fields = {"event": "cancelled"} if code == 3 else {"event": "error", "kind": kind}
            tell({**fields, "message": message or "The worker ended without telling its result."})
        if last["event"] == "error":
            return 2 if last.get("kind") == "input" else 1
        return _CODES[last["event"]]

    def _submitted(self, folder: Path, tell: OnEvent) -> tuple[int, str]:
        job = Job.load(folder)
        need_dask()
        # What an earlier run told is not to be told again.
        files.remove(folder / files.EVENTS)
        with scheduler_client(self._address, self._tls, folder / LOG) as client:
            future = client.submit(
                run_job_folder,
                *(str(folder), DynamicMRIReconLib.__version__),
                overwrite=self._overwrite,
                pure=False,
                resources=resources_of(job, has_gpus=has_gpus(client), grows=True),
            )
            return self._follow(future, folder / files.EVENTS, tell)

    def _follow(self, future: Any, path: Path, tell: OnEvent) -> tuple[int, str]:
        tail = _Tail(path)
        while not future.done():
            for event in tail.read():
                tell(event)
            if (self._cancelled or (path.parent / files.CANCEL).exists()) and not tail.begun:
                # It has not begun: nobody there would see the cancel file.
                future.cancel()
                files.remove(path.parent / files.CANCEL)
                return 3, "Cancelled before it started."
            time.sleep(_LOOK_S)
        try:
            outcome = future.result()
        except (Exception, CancelledError) as error:
            return 1, in_dask_words(error)
        for event in tail.read():
            tell(event)
        return int(outcome["code"]), str(outcome["message"])


class _Tail:
    """What is new in a file of events that another computer writes."""

    def __init__(self, path: Path) -> None:
        self.begun = False
        self._path, self._read, self._reader = path, 0, EventReader()

    def read(self) -> list[dict[str, Any]]:
        """The events since the last call."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._read:
                    # Another worker has begun it anew.
                    self._read, self._reader = 0, EventReader()
                file.seek(self._read)
                data = file.read()
        except OSError:
            return []
        self.begun = True
        self._read += len(data)
        return self._reader.feed(data)
