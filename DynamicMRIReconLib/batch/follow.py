"""Handing the rows of a batch on, and watching them to their ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.batch import record
from DynamicMRIReconLib.batch.engines import Engine, Pending
from DynamicMRIReconLib.batch.rows import Row
from DynamicMRIReconLib.batch.summary import Result, write_summary
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import EventReader
from DynamicMRIReconLib.jobs.local import request_cancel
from DynamicMRIReconLib.jobs.lock import is_running
from DynamicMRIReconLib.jobs.progress import RemainingTime

#: the file in the batch's folder that tells all workers to stop
STOP = "stop"
_LOOK_S = 0.1
#: seconds between looks into the rows' own events, and how many rows are looked into
_INSIDE_S, _INSIDE_ROWS = 1.0, 64
#: seconds that a process which an earlier batch left behind has to end
_ORPHAN_S = 30.0

#: seconds that the rows have to end after a request to stop; a row that heeds none is killed long before
_GRACE_S = 30.0

Tell = Callable[[dict[str, Any]], None]


class Stop:
    """The request to stop, as the rows see it: a file. A second request means not to wait for them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / STOP
        self.requested = False
        self.at_once = False
        self._since: float | None = None

    @property
    def waited_s(self) -> float:
        """Seconds since the first request; 0 before."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def cancel(self) -> None:
        """Ask to stop. Safe in a signal handler."""
        self.at_once = self.requested
        self.requested = True
        self._since = self._since or time.monotonic()
        with suppress(OSError):
            self.path.touch()


def split_done(rows: Sequence[Row], stop: Stop) -> tuple[list[Result], list[Row]]:
    """Rows that an earlier batch has done and that are as they were, and those that are to be run.

    Raises
    ------
    KeyboardInterrupt
        The user asked to stop.
    """

    def each_piece() -> None:
        if stop.requested:
            raise KeyboardInterrupt

    done: list[Result] = []
    todo: list[Row] = []
    for row in rows:
        each_piece()
        made = record.done_before(row.folder, row.job, each_piece)
        if made is None:
            todo.append(row)
        else:
            done.append(Result(row, "unchanged", float(made["wall_time_s"])))
    return done, todo


def prepare(row: Row) -> None:
    """Make the row's job folder what it is before a run.

    Raises
    ------
    InputError
        It cannot be written, or an earlier run of the row does not end.
    """
    try:
        row.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{row.folder} cannot be made: {error.strerror or error}.") from error
    waited_until = time.monotonic() + _ORPHAN_S
    while is_running(row.folder):
        request_cancel(row.folder)
        if time.monotonic() > waited_until:
            raise InputError(f"line {row.line} is still being run by an earlier batch: end that first.")
        time.sleep(_LOOK_S)
    for name in (*files.MADE_BY_A_RUN, files.CANCEL):
        files.remove(row.folder / name)
    files.remove_parts(row.folder)
    row.job.save(row.folder)


def follow(
    rows: Sequence[Row], before: Sequence[Result], engine: Engine, stop: Stop, folder: Path, tell: Tell
) -> list[Result]:
    """Run ``rows``; gives their results and those that were known ``before``, in the order of the manifest.

    ``tell`` gets ``row`` and ``progress`` events, and a ``warning`` for each row that failed. The summary is written
    each time a row has ended, so that it is true even when this process is killed.
    """
    pending: dict[int, tuple[Row, Pending]] = {row.number: (row, engine.submit(row)) for row in rows}
    results = {one.row.number: one for one in before}
    total = len(pending) + len(results)
    progress = _Progress(total, len(results), tell)
    while pending:
        ended = [number for number, (_, handed) in pending.items() if handed.done()]
        for number in ended:
            row, handed = pending.pop(number)
            outcome = handed.outcome()
            results[number] = Result(row, outcome.state, outcome.time_s, outcome.message)
            _tell_row(results[number], tell)
        if ended:
            write_summary(_in_order(results), folder)
        if stop.at_once or stop.waited_s > _GRACE_S:
            for row, _ in pending.values():
                request_cancel(row.folder)
                results[row.number] = Result(row, "cancelled", message="Cancelled.")
            break
        progress.update([row for row, _ in pending.values()], stop.requested)
        if not ended:
            time.sleep(_LOOK_S)
    ordered = _in_order(results)
    write_summary(ordered, folder)
    return ordered


def _in_order(results: dict[int, Result]) -> list[Result]:
    return [results[number] for number in sorted(results)]


def _tell_row(result: Result, tell: Tell) -> None:
    names = ("row", "line", "state", "time_s", "output", "message", "log")
    cells = dict(zip(names, result.cells(), strict=True))
    numbers = {"row": result.row.number, "line": result.row.line, "time_s": result.time_s}
    tell({"event": "row", **cells, **numbers})
    if result.state == "failed":
        tell({"event": "warning", "message": f"line {result.row.line}: {cells['message']}"})


class _Progress:
    """Tells how far all rows are together, now and then."""

    def __init__(self, total: int, before: int, tell: Tell) -> None:
        self._total, self._before, self._tell = total, before, tell
        self._started = time.monotonic()
        self._remaining = RemainingTime(self._started)
        self._looked, self._fraction = 0.0, -1.0

    def update(self, pending: Sequence[Row], stopping: bool) -> None:
        now = time.monotonic()
        if now - self._looked < _INSIDE_S and self._looked:
            return
        self._looked = now
        inside = [_fraction(row.folder / files.EVENTS) for row in pending[:_INSIDE_ROWS]]
        running = [fraction for fraction in inside if fraction is not None]
        ended = self._total - len(pending)
        fraction = (ended + sum(running)) / self._total
        if fraction <= self._fraction:
            return
        self._fraction = fraction
        remaining = self._remaining.update((fraction * self._total - self._before) / (self._total - self._before), now)
        message = f"{ended} of {self._total} rows ended, {len(running)} running"
        self._tell(
            {
                "event": "progress",
                "fraction": round(fraction, 5),
                "message": "Cancelling" if stopping else message,
                "elapsed_s": round(now - self._started, 2),
                "remaining_s": None if remaining is None else round(remaining, 1),
            }
        )


def _fraction(path: Path) -> float | None:
    """How far a running row is, by the end of its events; None while it has none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 4096))
            events = EventReader().feed(file.read())
    except OSError:
        return None
    return next((float(one["fraction"]) for one in reversed(events) if one.get("event") == "progress"), 0.0)
