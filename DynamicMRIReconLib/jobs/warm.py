"""Workers that start at once: copies of a process that has loaded the libraries already.

Loading torch and its relatives takes seconds, which a cohort of small scans would spend for each of them. Here one
process loads them and forks for every job. It computes nothing itself, so that each job begins in the same state as a
worker of its own. Needs a system that forks; elsewhere ``local_process.start`` does the same, more slowly.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

#: what a job imports; all that takes more than a tenth of a second
LOADED = ("torch", "scipy.signal", "sigpy", "sigpy.mri", "h5py", "nrrd", "DynamicMRIReconLib.jobs.worker")

available = hasattr(os, "fork") and sys.platform.startswith("linux")


class ForkedProcess:
    """A worker that was forked by another process, in the form of a ``subprocess.Popen``."""

    def __init__(self, pid: int, stdout: IO[bytes], stderr: IO[bytes], status: int) -> None:
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self.returncode: int | None = None
        self._status = status
        os.set_blocking(status, False)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                text = os.read(self._status, 64)
                # Whoever should have told is gone: then so is the worker.
                self.returncode = int(text) if text else -signal.SIGKILL
                os.close(self._status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; ``subprocess.TimeoutExpired`` after ``timeout`` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.01)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class WarmStarter:
    """Starts workers as ``local_process.start`` does, by asking a process of its own to fork.

    ``environment`` is that of all its workers; ``loaded`` are the modules that they find loaded.
    """

    def __init__(self, environment: Mapping[str, str], loaded: Sequence[str] = LOADED) -> None:
        self._environment = dict(environment)
        self._loaded = tuple(loaded)
        self._one_at_a_time = threading.Lock()
        self._channel: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], environment: Mapping[str, str]) -> ForkedProcess:
        """Start ``command``, which must be ``python -m DynamicMRIReconLib ...``.

        Raises
        ------
        OSError
            The process that forks does not answer.
        """
        ours, theirs = zip(*(os.pipe() for _ in range(3)), strict=True)
        try:
            answer = self._asked(json.dumps(command[3:]).encode() + b"\n", list(theirs))
        except OSError:
            for descriptor in ours:
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return ForkedProcess(int(answer), os.fdopen(ours[0], "rb", 0), os.fdopen(ours[1], "rb", 0), ours[2])

    def _asked(self, request: bytes, descriptors: list[int]) -> bytes:
        with self._one_at_a_time:
            try:
                channel = self._connected()
                socket.send_fds(channel, [request], descriptors)
                answer = channel.recv(64)
                if not answer:
                    raise OSError("the process that starts workers has ended")
            except OSError:
                # the next one finds a new process
                self.close()
                raise
            return answer

    def close(self) -> None:
        """End the process that forks; workers that run go on."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._server is not None:
            self._server.wait()
            self._server = None

    def _connected(self) -> socket.socket:
        if self._channel is None:
            self._channel, theirs = socket.socketpair()
            with theirs:
                self._server = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(theirs.fileno()), *self._loaded],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=self._environment,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        return self._channel


def serve(channel: socket.socket, loaded: Sequence[str]) -> None:
    """Load the modules, then fork a worker for every request, until the other side closes the channel."""
    for name in loaded:
        with suppress(ImportError):
            importlib.import_module(name)
    while True:
        text, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 3)
        if not text:
            return
        while not text.endswith(b"\n"):
            text += channel.recv(1 << 20)
        minder = os.fork()
        if minder == 0:
            _mind(json.loads(text), descriptors, channel)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def _mind(arguments: list[str], descriptors: list[int], channel: socket.socket) -> None:
    """Fork the worker, tell its number, wait for its end, tell its exit code. Does not return."""
    out, err, status = descriptors
    code = 1
    try:
        worker = os.fork()
        if worker == 0:
            os.close(status)
            channel.close()
            code = _work(arguments, out, err)
            return
        os.close(out)
        os.close(err)
        # Both sides: whoever hears of the worker may count on its group.
        with suppress(OSError):
            os.setpgid(worker, worker)
        channel.sendall(str(worker).encode())
        channel.close()
        ended = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        os.write(status, str(ended).encode())
        code = 0
    finally:
        # Past everything that Python would do for a second time at the end of a copy.
        os._exit(code)


def _work(arguments: list[str], out: int, err: int) -> int:
    from DynamicMRIReconLib.cli import main

    os.setpgid(0, 0)
    for source, target in ((out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)
    try:
        return main(arguments)
    except SystemExit as error:
        return int(error.code or 0)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
