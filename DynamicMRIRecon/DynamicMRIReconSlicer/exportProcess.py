"""Writes files in a process of its own, so that a long movie never blocks Slicer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import EventReader
from DynamicMRIReconLib.jobs.local import PACKAGE, worker_environment
from DynamicMRIReconSlicer.exportFiles import DICOM
from DynamicMRIReconSlicer.jobFolder import INPUT, PREFIX, exportSeries
from DynamicMRIReconSlicer.jobProcess import pythonProgram
from DynamicMRIReconSlicer.translation import tr as _

_PROGRAM = "dynamic-mri-recon"


class ExportProcess:
    """One export; ``ended`` is called once, with None or with a sentence about what went wrong.

    Parameters
    ----------
    progressed
        Called with the fraction done (0 to 1) and what is being written.
    """

    def __init__(self, progressed: Callable[[float, str], None], ended: Callable[[str | None], None]) -> None:
        self._progressed = progressed
        self._ended: Callable[[str | None], None] | None = ended
        self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        self._outputs: list[Path] = []
        self._reader = EventReader()
        self._process = qt.QProcess()
        environment = qt.QProcessEnvironment.systemEnvironment()
        for name, value in worker_environment().items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)

    def start(self, series: ImageSeries, outputs: list[Path], patientFrom: str = "") -> None:
        """Hand over the images and start; returns at once.

        ``patientFrom`` is a DICOM file or folder whose patient and study the DICOM files among ``outputs`` shall carry.

        Raises
        ------
        OSError
            The images cannot be kept in the folder for temporary files.
        """
        source = Path(self._folder.name) / INPUT
        try:
            exportSeries(series, source)
        except BaseException:
            self._folder.cleanup()
            raise
        self._outputs = outputs
        arguments = ["-m", PACKAGE, "export", str(source), "--output", *(str(path) for path in outputs), "--events"]
        if patientFrom and any(path.suffix in DICOM for path in outputs):
            arguments += ["--patient-from", patientFrom]
        self._process.start(pythonProgram(), arguments)

    def stopNow(self) -> None:
        """End it before this returns and say nothing more; a file that is not whole is taken away."""
        self._ended = None
        if self._process.state() != qt.QProcess.NotRunning:
            pid = int(self._process.processId())
            self._process.terminate()
            if not self._process.waitForFinished(2000):
                self._process.kill()
                self._process.waitForFinished(1000)
            for folder in {path.parent for path in self._outputs}:
                files.remove_unfinished(folder, pid)
        self._folder.cleanup()

    def _read(self, *_: Any) -> None:
        for event in self._reader.feed(self._process.readAllStandardOutput().data()):
            if event["event"] == "progress":
                self._progressed(float(event.get("fraction") or 0.0), str(event.get("message") or ""))

    def _failed(self, *_args: Any) -> None:
        if self._process.error() == qt.QProcess.FailedToStart:
            self._end(_("The worker's Python could not be started."))

    def _finished(self, *_args: Any) -> None:
        self._read()
        errors = self._process.readAllStandardError().data().decode("utf-8", errors="replace").strip()
        if self._process.exitStatus() == qt.QProcess.NormalExit and self._process.exitCode() == 0:
            self._end(None)
            return
        message = errors.splitlines()[-1] if errors else _("The export ended unexpectedly.")
        self._end(message.removeprefix(f"{_PROGRAM}: "))

    def _end(self, error: str | None) -> None:
        ended, self._ended = self._ended, None
        self._folder.cleanup()
        if ended is not None:
            ended(error)
