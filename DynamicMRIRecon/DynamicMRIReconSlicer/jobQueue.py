"""Reconstructions one after the other: one runs, the others wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from DynamicMRIReconLib.errors import ReconError
from DynamicMRIReconSlicer.runSection import RunSection


class JobQueue:
    """Starts runs and shows how they go.

    Parameters
    ----------
    logic
        Has ``startReconstruction``.
    section
        Shows the run.
    finished
        Called with each result.
    changed
        Called when a run starts, ends, or waits.
    """

    def __init__(
        self, logic: Any, section: RunSection, finished: Callable[[Any], None], changed: Callable[[], None]
    ) -> None:
        self._logic = logic
        self._section = section
        self._finished = finished
        self._changed = changed
        self._waiting: deque[tuple[str, tuple[Any, ...], dict[str, Any], Callable[[Any], None] | None]] = deque()
        self.run: Any = None

    @property
    def waiting(self) -> list[str]:
        """Names of the runs that wait, the next one first."""
        return [name for name, *_ in self._waiting]

    def add(self, name: str, *arguments: Any, then: Callable[[Any], None] | None = None, **options: Any) -> None:
        """Start a run (arguments and options as for ``startReconstruction``), or let it wait for those before it.

        ``then`` is called with the result, instead of what the queue does with results.
        """
        self._waiting.append((name, arguments, options, then))
        self._next()

    def cancel(self) -> None:
        """Cancel what runs; what waits goes on afterwards."""
        if self.run is not None:
            self._section.cancelling()
            self.run.cancel()

    def forget(self) -> None:
        """Nothing waits any more."""
        self._waiting.clear()
        self._changed()

    def stop(self) -> None:
        """The scene or the panel goes: nothing runs and nothing waits."""
        self._waiting.clear()
        if self.run is not None:
            self.run = None
            self._section.end({"event": "cancelled"})

    def _next(self) -> None:
        while self.run is None and self._waiting:
            name, arguments, options, then = self._waiting.popleft()
            self._section.begin(name)
            try:
                run = self._logic.startReconstruction(
                    *arguments,
                    name=name,
                    onEvent=self._section.event,
                    onFinished=lambda result, event, then=then: self._ended(result, event, then),
                    onLog=self._section.log,
                    **options,
                )
            except (ReconError, OSError) as error:
                self._section.end({"event": "error", "message": str(error)})
                continue
            self.run = run if run.running else None
        self._changed()

    def _ended(self, result: Any, event: dict[str, Any], then: Callable[[Any], None] | None) -> None:
        self.run = None
        self._section.end(event)
        if result is not None:
            (then or self._finished)(result)
        self._next()
