"""A worker process seen through Qt: events in, cancellation that always ends, one end for every start."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import qt

from DynamicMRIReconLib.jobs.events import FINAL_EVENTS, EventReader
from DynamicMRIReconLib.jobs.local import explain_exit, request_cancel, worker_command, worker_environment
from DynamicMRIReconSlicer.translation import tr as _

#: between asking, terminating and killing
STEP_MS = 2000
KEPT_ERROR_LINES = 200


def pythonProgram() -> str:
    """The interpreter of the worker: PythonSlicer inside Slicer, else the one that runs this."""
    return shutil.which("PythonSlicer") or sys.executable


class JobProcess:
    """Runs the job in a folder.

    Parameters
    ----------
    folder
        Job folder with its ``job.json``.
    onEvent
        Called with every event of the worker, the last one included. Exactly one ``done``, ``cancelled`` or ``error``
        comes, after the process is gone.
    onLog
        Called with the text that the worker writes on standard error.
    arguments
        More words for its command line.
    """

    def __init__(
        self,
        folder: Path,
        onEvent: Callable[[dict[str, Any]], None],
        onLog: Callable[[str], None] = lambda _text: None,
        program: str | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self._program = program or pythonProgram()
        self._arguments = list(arguments)
        self._onEvent = onEvent
        self._onLog = onLog
        self._reader = EventReader()
        self._errorLines: deque[str] = deque(maxlen=KEPT_ERROR_LINES)
        self._errorRest = b""
        self._final: dict[str, Any] | None = None
        self._ended = False
        self._cancelling = False
        self._children: list[Any] = []
        self._workerPid = 0
        self._process = qt.QProcess()
        self._process.setProcessChannelMode(qt.QProcess.SeparateChannels)
        self._process.readyReadStandardOutput.connect(self._readOutput)
        self._process.readyReadStandardError.connect(self._readErrors)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)

    @property
    def running(self) -> bool:
        """True from ``start`` until the last event has been handed on."""
        return not self._ended

    @property
    def pid(self) -> int:
        """Process number of the worker; 0 when there is none. With a launcher in between: what the worker says."""
        return self._workerPid or int(self._process.processId())

    def start(self) -> None:
        """Start the worker; returns at once."""
        program, *arguments = worker_command(self.folder, self._program)
        environment = qt.QProcessEnvironment.systemEnvironment()
        for name, value in worker_environment().items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.start(program, [*arguments, *self._arguments])

    def cancel(self) -> None:
        """Ask the worker to stop; two seconds later terminate it, two more later kill it and its children."""
        if self._ended or self._cancelling:
            return
        self._cancelling = True
        request_cancel(self.folder)
        qt.QTimer.singleShot(STEP_MS, self._terminate)
        qt.QTimer.singleShot(2 * STEP_MS, self._kill)

    def killWorker(self) -> None:
        """Kill the process without asking; its end is reported as any other."""
        self._process.kill()

    def stopNow(self, timeoutMs: int = 1000) -> None:
        """End the worker before this returns (the scene or Slicer closes). No event is handed on any more."""
        if self._ended:
            return
        self._onEvent = self._onLog = lambda _value: None  # type: ignore[assignment]
        self._ended = True
        request_cancel(self.folder)
        self._rememberChildren()
        self._process.terminate()
        if not self._process.waitForFinished(timeoutMs):
            self._process.kill()
            self._process.waitForFinished(timeoutMs)
        self._killChildren()

    def _terminate(self) -> None:
        if not self._ended:
            self._rememberChildren()
            self._process.terminate()

    def _kill(self) -> None:
        if not self._ended:
            self._rememberChildren()
            self._process.kill()
            self._killChildren()

    def _rememberChildren(self) -> None:
        # Children lose their parent when it dies, so they are noted while it lives.
        with suppress(Exception):
            import psutil

            # PythonSlicer is a launcher on some systems: the worker itself may be its child.
            self._children = psutil.Process(int(self._process.processId())).children(recursive=True)

    def _killChildren(self) -> None:
        for child in self._children:
            with suppress(Exception):
                child.kill()

    def _readOutput(self, *_: Any) -> None:
        self._handOn(self._reader.feed(self._process.readAllStandardOutput().data()))

    def _handOn(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["event"] in FINAL_EVENTS:
                # Files are whole and the device is free only when the process is gone: keep it until then.
                self._final = event
            else:
                # On another computer it has a number that means nothing here.
                if event["event"] == "started" and not self._arguments:
                    self._workerPid = int(event.get("pid") or 0)
                self._onEvent(event)

    def _readErrors(self, *_: Any) -> None:
        *lines, self._errorRest = (self._errorRest + self._process.readAllStandardError().data()).split(b"\n")
        text = [line.decode("utf-8", errors="replace").rstrip("\r") for line in lines]
        self._errorLines.extend(text)
        for line in text:
            self._onLog(line)

    def _failed(self, *_: Any) -> None:
        # Of all errors only a failed start is not followed by ``finished``.
        if self._process.error() == qt.QProcess.FailedToStart:
            self._end(None)

    def _finished(self, *_: Any) -> None:
        self._readOutput()
        self._handOn(self._reader.finish())
        self._readErrors()
        if self._errorRest:
            self._errorLines.append(self._errorRest.decode("utf-8", errors="replace"))
        code = int(self._process.exitCode())
        self._end(-code if self._process.exitStatus() == qt.QProcess.CrashExit else code)

    def _end(self, code: int | None) -> None:
        if self._ended:
            return
        self._killChildren()
        explained = explain_exit(self.folder, code, list(self._errorLines))
        event = self._final or explained
        self._ended = True
        if event is None:
            event = {"event": "error", "kind": "internal", "message": _("The worker ended without telling its result.")}
        self._onEvent(event)
