"""Who runs the rows: this computer one after the other, or Dask."""

from __future__ import annotations

import uuid
from asyncio import CancelledError
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import DynamicMRIReconLib
from DynamicMRIReconLib.batch import task
from DynamicMRIReconLib.batch.rows import Row
from DynamicMRIReconLib.batch.task import Outcome, run_row
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.methods import registry


class Pending(Protocol):
    """A row that has been handed on."""

    def done(self) -> bool:
        """True once it has ended."""
        ...

    def outcome(self) -> Outcome:
        """How; once it has ended."""
        ...


class Engine(Protocol):
    """Takes rows and runs them."""

    def submit(self, row: Row) -> Pending:
        """Hand on a row; returns at once."""
        ...


class InTurn:
    """One row after the other on this computer, without Dask."""

    def __init__(self, stop: Path, threads: int | None) -> None:
        self._stop, self._threads = stop, threads
        self._pool = ThreadPoolExecutor(max_workers=1)

    def submit(self, row: Row) -> Pending:
        """Hand on a row; returns at once."""
        arguments = (str(row.folder), str(self._stop), DynamicMRIReconLib.__version__, self._threads)
        return _Handed(self._pool.submit(run_row, *arguments), _in_words)

    def close(self) -> None:
        """Wait for what runs; what waits is cancelled by the stop file."""
        self._pool.shutdown()
        task.close()


class OnDask:
    """Rows as tasks of a Dask client. Dask gives a lost worker's rows to others.

    Parameters
    ----------
    client
        A ``distributed.Client``.
    stop
        A file that all workers see; once it exists, rows are cancelled.
    threads
        Of each row; None: what the workers' environment says.
    grows
        Whether workers may still join, so that a row can wait for one with a GPU.
    """

    def __init__(self, client: Any, stop: Path, threads: int | None, *, grows: bool) -> None:
        self._client, self._stop, self._threads = client, stop, threads
        self._batch = uuid.uuid4().hex[:8]
        self._grows = grows
        self._has_gpus = has_gpus(client)

    def submit(self, row: Row) -> Pending:
        """Hand on a row; returns at once."""
        future = self._client.submit(
            run_row,
            *(str(row.folder), str(self._stop), DynamicMRIReconLib.__version__, self._threads),
            key=f"row-{row.line}-{self._batch}",
            pure=False,
            resources=resources_of(row.job, has_gpus=self._has_gpus, grows=self._grows),
        )
        return _Handed(future, in_dask_words)

    def warnings(self, rows: list[Row]) -> list[str]:
        """What the user should know before waiting."""
        found = []
        if not _workers(self._client):
            found.append("The scheduler has no workers yet: rows wait until there are some.")
        waiting = sum(row.job.device.startswith("cuda") for row in rows)
        if waiting and self._grows and not self._has_gpus:
            found.append(
                f"No worker offers the resource GPU: {waiting} rows with device cuda wait for one "
                "(dask worker --resources GPU=1)."
            )
        return found


class _Handed:
    def __init__(self, future: Any, explain: Callable[[BaseException], str]) -> None:
        self._future, self._explain = future, explain

    def done(self) -> bool:
        return bool(self._future.done())

    def outcome(self) -> Outcome:
        try:
            return Outcome(**self._future.result())
        except (Exception, CancelledError) as error:
            return Outcome("failed", message=self._explain(error))


def has_gpus(client: Any) -> bool:
    """Whether a worker offers the resource ``GPU``."""
    return any(one.get("resources", {}).get("GPU") for one in _workers(client).values())


def resources_of(job: Job, *, has_gpus: bool, grows: bool) -> dict[str, int] | None:
    """What a worker must offer to get the job; ``grows``: a worker with a GPU may still join."""
    wanted = job.device.startswith("cuda") and (has_gpus or grows)
    preferred = has_gpus and job.device == "auto" and registry.get(job.method).prefers_gpu
    # Where no GPU can come, the job itself says best that there is none.
    return {"GPU": 1} if wanted or preferred else None


def _workers(client: Any) -> dict[str, Any]:
    return dict(client.scheduler_info(n_workers=-1)["workers"])


def _in_words(error: BaseException) -> str:
    return f"Unexpected failure ({type(error).__name__}: {error})."


def in_dask_words(error: BaseException) -> str:
    """Why a task came to no end of its own."""
    name = type(error).__name__
    if name == "KilledWorker":
        return "Its worker was lost again and again; it may have run out of memory: see the workers' logs."
    if isinstance(error, ModuleNotFoundError):
        return f"The worker lacks the package {error.name}: install dynamic-mri-recon where the workers run."
    if "Cancelled" in name:
        return "The connection to the scheduler was lost: run the same command again."
    return _in_words(error)
