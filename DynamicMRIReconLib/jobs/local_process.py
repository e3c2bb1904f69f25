"""Worker processes: start one in a group of its own, read what it says, end it with all its children."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, Protocol


class Process(Protocol):
    """What is used of ``subprocess.Popen``."""

    pid: int
    returncode: Any

    @property
    def stdout(self) -> IO[bytes] | None: ...

    @property
    def stderr(self) -> IO[bytes] | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


def kill_tree(process: Process) -> None:
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


def start(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start ``command`` with pipes on its outputs.

    Raises
    ------
    OSError
        The program does not exist or may not be run.
    """
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        # A group of its own: Ctrl-C in the terminal reaches us, and we tell the worker in order.
        start_new_session=sys.platform != "win32",
        creationflags=flags,
    )


def in_background(function: Callable[..., None], *arguments: Any) -> threading.Thread:
    """Run ``function`` in a thread that does not keep the program alive."""
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def pump(pipe: IO[bytes], chunks: queue.Queue[bytes | None]) -> None:
    """Put what comes through ``pipe`` into ``chunks``, None at its end."""
    with pipe:
        while chunk := os.read(pipe.fileno(), 65536):
            chunks.put(chunk)
    chunks.put(None)


def collect(pipe: IO[bytes], lines: deque[str]) -> None:
    """Append the lines that come through ``pipe`` to ``lines``."""
    with pipe:
        for line in pipe:
            lines.append(line.decode("utf-8", errors="replace").rstrip()[:2000])
