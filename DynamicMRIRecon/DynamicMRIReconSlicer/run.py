"""One reconstruction from request to nodes in the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from DynamicMRIReconSlicer import unfinishedRuns
from DynamicMRIReconSlicer.jobFolder import JobFolder, Request
from DynamicMRIReconSlicer.jobProcess import JobProcess
from DynamicMRIReconSlicer.results import Result, loadResult
from DynamicMRIReconSlicer.translation import tr as _


class Run:
    """Owns the job folder and the worker; ``onFinished`` comes exactly once unless ``stopNow`` ends the run.

    Parameters
    ----------
    onEvent
        Called with events on the way (``started``, ``progress``, ``preview``, ``warning``, ``resumed``).
    onFinished
        Called with the result or None, and the last event. The folder is gone by then, unless the run did not come to
        its end and kept how far it was.
    """

    def __init__(
        self,
        request: Request,
        onEvent: Callable[[dict[str, Any]], None],
        onFinished: Callable[[Result | None, dict[str, Any]], None],
        onLog: Callable[[str], None],
    ) -> None:
        self.request = request
        self.warnings: list[str] = []
        self._onEvent = onEvent
        self._onFinished = onFinished
        scheduler = request.runOn
        self._folder = JobFolder(None if scheduler is None else scheduler.folder)
        elsewhere = [] if scheduler is None else ["--scheduler", scheduler.address]
        self._process = JobProcess(self._folder.path, self._event, onLog, arguments=elsewhere)

    @property
    def folder(self) -> Path:
        """The job folder; see ``onFinished`` for its end."""
        return self._folder.path

    @property
    def pid(self) -> int:
        """Process number of the worker."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """True until the end has been reported."""
        return self._process.running

    def start(self) -> None:
        """Write the job and start the worker."""
        try:
            self._folder.fill(self.request)
            unfinishedRuns.goOn(self._folder.path)
        except BaseException:
            self._folder.remove()
            raise
        self._process.start()

    def cancel(self) -> None:
        """Ask it to stop; it is gone within seconds, and then ``onFinished`` is called with ``cancelled``."""
        self._process.cancel()

    def killWorker(self) -> None:
        """Kill the worker as the system does when memory runs out; the run ends with an ``error``."""
        self._process.killWorker()

    def stopNow(self) -> None:
        """End it at once and say nothing more."""
        self._process.stopNow()
        self._folder.remove()

    def _event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "warning":
            self.warnings.append(str(event.get("message", "")))
        if kind not in ("done", "cancelled", "error"):
            self._onEvent(event)
            return
        result = None
        try:
            if kind == "done":
                load = self.request.load or loadResult
                result = load(self.request, self._folder.path, event, self.warnings)
        except Exception as error:
            event = {
                "event": "error",
                "kind": "internal",
                "message": _("The result could not be loaded: {error}").format(error=error),
            }
        finally:
            if kind == "done":
                self._folder.remove()
            else:
                unfinishedRuns.keepOrRemove(self._folder)
        self._onFinished(result, event)
