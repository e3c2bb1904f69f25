"""Runs one job in a process of its own on this computer, and never hangs: the runner of command line and scripts."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import EventReader
from DynamicMRIReconLib.jobs.local import explain_exit, request_cancel, worker_command, worker_environment

STEP_S = 2.0
_EXIT_CODES = (0, 1, 2, 3)


class LocalRunner:
    """One worker process.

    Parameters
    ----------
    folder
        Job folder with its ``job.json``.
    on_event
        Called with every event, in the thread that calls ``run``.
    python
        Interpreter of the worker, by default this one.
    extra_arguments
        Added to the worker's command line.
    step_s
        Seconds between the steps of a cancellation: cancel file, terminate, kill.
    """

    def __init__(
        self,
        folder: str | Path,
        on_event: Callable[[dict[str, Any]], None],
        *,
        python: str | Path | None = None,
        extra_arguments: Iterable[str] = (),
        step_s: float = STEP_S,
    ) -> None:
        self.folder = Path(folder)
        self._on_event = on_event
        self._command = [*worker_command(self.folder, python), *extra_arguments]
        self._step_s = step_s
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled_at: float | None = None
        self._next_step = 0
        self._stderr: deque[str] = deque(maxlen=200)
        self._threads: list[threading.Thread] = []

    @property
    def pid(self) -> int | None:
        """Process number of the worker, None before ``run`` has started it."""
        return None if self._process is None else self._process.pid

    def cancel(self) -> None:
        """Ask the worker to stop; asking again moves on to the next, harder step. Safe from any thread or handler."""
        if self._cancelled_at is None:
            self._cancelled_at = time.monotonic()
            request_cancel(self.folder)
        else:
            self._cancelled_at -= self._step_s

    def run(self) -> int:
        """Start the worker, hand on its events, wait for its end; the exit code as design and worker have it.

        An exception out of ``on_event`` (or Ctrl-C) stops the worker before it is passed on.
        """
        with suppress(OSError):
            files.remove(self.folder / files.CANCEL)
        if self._cancelled_at is not None:
            request_cancel(self.folder)
        try:
            self._process = _start(self._command)
        except OSError:
            return self._explain(None)
        try:
            self._hand_on_events(self._process)
        except BaseException:
            request_cancel(self.folder)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(self._step_s)
            raise
        finally:
            self._end(self._process)
        return self._explain(self._process.returncode)

    def _explain(self, returncode: int | None) -> int:
        event = explain_exit(self.folder, returncode, list(self._stderr))
        if event is not None:
            self._on_event(event)
            return 3 if event["event"] == "cancelled" else 1
        return returncode if returncode in _EXIT_CODES else _code_of_last(self.folder)

    def _hand_on_events(self, process: subprocess.Popen[bytes]) -> None:
        chunks: queue.Queue[bytes | None] = queue.Queue()
        assert process.stdout is not None
        assert process.stderr is not None
        self._threads = [
            _in_background(_pump, process.stdout, chunks),
            _in_background(_collect, process.stderr, self._stderr),
        ]
        reader = EventReader()
        ended_at: float | None = None
        while True:
            try:
                chunk = chunks.get(timeout=0.05)
            except queue.Empty:
                chunk = b""
            if chunk is None:
                break
            for event in reader.feed(chunk):
                self._on_event(event)
            self._escalate(process)
            if process.poll() is not None:
                # A child of the worker may hold the pipe open for ever: wait for its end only a moment.
                ended_at = ended_at or time.monotonic()
                if not chunk and time.monotonic() - ended_at > 0.5:
                    break
        for event in reader.finish():
            self._on_event(event)
        while process.poll() is None:
            self._escalate(process)
            time.sleep(0.02)

    def _escalate(self, process: subprocess.Popen[bytes]) -> None:
        if self._cancelled_at is None or process.poll() is not None:
            return
        waited = time.monotonic() - self._cancelled_at
        if self._next_step == 0 and waited > self._step_s:
            self._next_step = 1
            process.terminate()
        elif self._next_step == 1 and waited > 2 * self._step_s:
            self._next_step = 2
            kill_tree(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        kill_tree(process)
        with suppress(subprocess.TimeoutExpired):
            process.wait(self._step_s)
        for thread in self._threads:
            # They end with the last holder of the pipe, which is gone now; never wait for one that escaped.
            thread.join(0.5)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End a worker and everything it started, at once; harmless when all of it is gone."""
    for child in _children(process.pid):
        with suppress(Exception):
            child.kill()
    if sys.platform != "win32":
        # The worker leads a group of its own: this reaches the children of a worker that is gone already.
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        with suppress(OSError):
            process.kill()


def _children(pid: int) -> list[Any]:
    try:
        import psutil
    except ImportError:
        return []
    try:
        found: list[Any] = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return found


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=worker_environment(),
        # A group of its own: Ctrl-C in the terminal reaches us, and we tell the worker in order.
        start_new_session=sys.platform != "win32",
        creationflags=flags,
    )


def _in_background(function: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def _pump(pipe: IO[bytes], chunks: queue.Queue[bytes | None]) -> None:
    with pipe:
        while chunk := os.read(pipe.fileno(), 65536):
            chunks.put(chunk)
    chunks.put(None)


def _collect(pipe: IO[bytes], lines: deque[str]) -> None:
    with pipe:
        for line in pipe:
            lines.append(line.decode("utf-8", errors="replace").rstrip()[:2000])


def _code_of_last(folder: Path) -> int:
    from DynamicMRIReconLib.jobs.events import final_event, read_events

    event = final_event(read_events(folder / files.EVENTS)) or {}
    if event.get("event") == "error":
        return 2 if event.get("kind") == "input" else 1
    return {"done": 0, "cancelled": 3}.get(str(event.get("event")), 1)
