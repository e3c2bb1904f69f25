"""The runner on this computer: how to start a worker, watch it and stop it. Standard library only."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.jobs import files, local_process
from DynamicMRIReconLib.jobs.events import EventReader, final_event, read_events
from DynamicMRIReconLib.jobs.local_exit import explain_exit

__all__ = ["LocalRunner", "explain_exit", "request_cancel", "worker_command", "worker_environment"]

PACKAGE = "DynamicMRIReconLib"
#: seconds between the steps of a cancellation: cancel file, terminate, kill
STEP_S = 2.0


def worker_command(folder: str | Path, python: str | Path | None = None) -> list[str]:
    """Program and arguments that run the job in ``folder``; ``python`` is the interpreter, by default this one."""
    return [str(python or sys.executable), "-m", PACKAGE, "recon", "--job", str(folder), "--events"]


def worker_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for a worker: ``base`` (by default this process's) and what makes it find this package.

    The current folder is kept off the worker's module search path: a stranger's folder may hold a ``torch.py``.
    """
    environment = dict(os.environ if base is None else base)
    ours = str(Path(__file__).resolve().parents[2])
    others = [p for p in environment.get("PYTHONPATH", "").split(os.pathsep) if p and p != ours]
    environment["PYTHONPATH"] = os.pathsep.join([ours, *others])
    environment["PYTHONSAFEPATH"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONIOENCODING"] = "utf-8"
    # torch and finufft bring an OpenMP pool each; on a busy machine the two would spin against each other for minutes
    environment.setdefault("OMP_WAIT_POLICY", "passive")
    return environment


def request_cancel(folder: str | Path) -> None:
    """Ask the worker to stop; it looks once an iteration. Nothing happens when the folder is gone."""
    with suppress(OSError):
        (Path(folder) / files.CANCEL).touch()


class LocalRunner:
    """Runs a job in a process of its own, and never hangs.

    Parameters
    ----------
    python
        Interpreter of the worker, by default this one.
    extra_arguments
        Added to the worker's command line.
    step_s
        Seconds between the steps of a cancellation: cancel file, terminate, kill.
    environment
        Variables put over those of ``worker_environment``.
    start
        Starts the process; by default ``local_process.start``.
    """

    def __init__(
        self,
        *,
        python: str | Path | None = None,
        extra_arguments: Iterable[str] = (),
        step_s: float = STEP_S,
        environment: Mapping[str, str] | None = None,
        start: Callable[[list[str], Mapping[str, str]], local_process.Process] | None = None,
    ) -> None:
        self._python = python
        self._extra_arguments = tuple(extra_arguments)
        self._step_s = step_s
        self._environment = dict(environment or {})
        self._start = start
        self._folder: Path | None = None
        self._process: local_process.Process | None = None
        self._cancelled_at: float | None = None
        self._next_step = 0

    @property
    def pid(self) -> int | None:
        """Process number of the worker, None before it has started."""
        return None if self._process is None else self._process.pid

    def cancel(self) -> None:
        """Ask the worker to stop; asking again moves on to the next, harder step. Safe from any thread or handler."""
        if self._cancelled_at is None:
            self._cancelled_at = time.monotonic()
            if self._folder is not None:
                request_cancel(self._folder)
        else:
            self._cancelled_at -= self._step_s

    def run(self, folder: str | Path, on_event: Callable[[dict[str, Any]], None] | None = None) -> int:
        """Run the job in ``folder`` to its end.

        ``on_event`` is called with every event, in this thread; an exception out of it, or Ctrl-C, stops the worker
        before it is passed on. A runner runs one job; make another for the next.

        Returns
        -------
        int
            0 done, 1 failed, 2 the request or the input is at fault, 3 cancelled.
        """
        if self._folder is not None:
            raise RuntimeError("This runner has run a job already: make a new one.")
        self._folder = Path(folder)
        if self._cancelled_at is not None:
            return 3
        command = [*worker_command(self._folder, self._python), *self._extra_arguments]
        watch = _Watch(on_event or (lambda event: None))
        try:
            start = self._start or local_process.start
            self._process = process = start(command, {**worker_environment(), **self._environment})
        except OSError:
            return self._exit_code(None, watch)
        try:
            watch.follow(process, self._escalate)
        except BaseException:
            request_cancel(self._folder)
            with suppress(subprocess.TimeoutExpired):
                process.wait(self._step_s)
            raise
        finally:
            local_process.kill_tree(process)
            with suppress(subprocess.TimeoutExpired):
                process.wait(self._step_s)
            watch.stop()
        return self._exit_code(process.returncode, watch)

    def _exit_code(self, returncode: int | None, watch: _Watch) -> int:
        assert self._folder is not None
        if watch.final is None:
            event = explain_exit(self._folder, returncode, list(watch.stderr))
            if event is not None:
                watch.hand_on(event)
        final = watch.final or final_event(read_events(self._folder / files.EVENTS)) or {}
        if final.get("event") == "error":
            return 2 if final.get("kind") == "input" else 1
        return {"done": 0, "cancelled": 3}.get(str(final.get("event")), 1)

    def _escalate(self, process: local_process.Process) -> None:
        if self._cancelled_at is None or process.poll() is not None:
            return
        waited = time.monotonic() - self._cancelled_at
        if self._next_step == 0 and waited > self._step_s:
            self._next_step = 1
            process.terminate()
        elif self._next_step == 1 and waited > 2 * self._step_s:
            self._next_step = 2
            local_process.kill_tree(process)


class _Watch:
    """Follows what one worker process says."""

    def __init__(self, on_event: Callable[[dict[str, Any]], None]) -> None:
        self.final: dict[str, Any] | None = None
        self.stderr: deque[str] = deque(maxlen=200)
        self._on_event = on_event
        self._threads: list[threading.Thread] = []

    def hand_on(self, event: dict[str, Any]) -> None:
        self.final = final_event([event]) or self.final
        self._on_event(event)

    def follow(self, process: local_process.Process, each_turn: Callable[[local_process.Process], None]) -> None:
        """Hand on events until the process has ended, calling ``each_turn`` at least 20 times a second."""
        chunks: queue.Queue[bytes | None] = queue.Queue()
        self._threads = [
            local_process.in_background(local_process.pump, process.stdout, chunks),
            local_process.in_background(local_process.collect, process.stderr, self.stderr),
        ]
        reader = EventReader()
        ended_at: float | None = None
        chunk: bytes | None = b""
        while chunk is not None:
            try:
                chunk = chunks.get(timeout=0.05)
            except queue.Empty:
                chunk = b""
            for event in reader.feed(chunk or b""):
                self.hand_on(event)
            each_turn(process)
            if process.poll() is not None:
                # A child of the worker may hold the pipe open for ever: wait for its end only a moment.
                ended_at = ended_at or time.monotonic()
                if not chunk and time.monotonic() - ended_at > 0.5:
                    break
        for event in reader.finish():
            self.hand_on(event)
        while process.poll() is None:
            each_turn(process)
            time.sleep(0.02)

    def stop(self) -> None:
        """Let the reading threads end; they do with the last holder of the pipes, and are not waited for longer."""
        for thread in self._threads:
            thread.join(0.5)
