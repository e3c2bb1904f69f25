"""What a file holds, found out by a process of its own so that large files never block the panel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

from DynamicMRIReconLib.jobs.local import PACKAGE, worker_environment
from DynamicMRIReconSlicer.jobProcess import pythonProgram
from DynamicMRIReconSlicer.translation import tr as _

#: how the command's error lines begin
_PROGRAM = "dynamic-mri-recon"


class FileInfo:
    """Asks ``info`` about one file at a time; the answer to an outdated question is dropped.

    Parameters
    ----------
    answered
        Called with the description (see ``DynamicMRIReconLib.io.describe``) or None, and an error sentence or None.
    """

    def __init__(self, answered: Callable[[dict[str, Any] | None, str | None], None]) -> None:
        self._answered = answered
        self._process: Any = None

    def ask(self, path: Path, readOptions: dict[str, Any]) -> None:
        """Start; returns at once."""
        self.stop()
        process = qt.QProcess()
        environment = qt.QProcessEnvironment.systemEnvironment()
        for name, value in worker_environment().items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        process.finished.connect(lambda *_: self._finished(process))
        process.errorOccurred.connect(lambda *_: self._failed(process))
        self._process = process
        arguments = ["-m", PACKAGE, "info", str(path), "--json"]
        for name, value in readOptions.items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        process.start(pythonProgram(), arguments)

    def stop(self) -> None:
        """Drop the question that is open."""
        process, self._process = self._process, None
        if process is not None and process.state() != qt.QProcess.NotRunning:
            process.kill()
            process.waitForFinished(1000)

    @property
    def busy(self) -> bool:
        """True while an answer is awaited."""
        return self._process is not None

    def _failed(self, process: Any) -> None:
        if process is self._process and process.error() == qt.QProcess.FailedToStart:
            self._process = None
            self._answered(None, _("The worker's Python could not be started."))

    def _finished(self, process: Any) -> None:
        if process is not self._process:
            return
        self._process = None
        output = process.readAllStandardOutput().data().decode("utf-8", errors="replace")
        errors = process.readAllStandardError().data().decode("utf-8", errors="replace").strip()
        try:
            description = json.loads(output)
        except ValueError:
            description = None
        if process.exitCode() == 0 and isinstance(description, dict):
            self._answered(description, None)
        else:
            message = errors.splitlines()[-1] if errors else _("The file could not be read.")
            self._answered(None, message.removeprefix(f"{_PROGRAM}: "))
