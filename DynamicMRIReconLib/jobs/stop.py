"""How a worker learns that it should stop: the cancel file, a signal, or nobody listening any more."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from DynamicMRIReconLib.errors import Cancelled
from DynamicMRIReconLib.jobs import files


class StopRequest:
    """Watches for a request to stop, inside a ``with`` block.

    SIGTERM, SIGINT (Ctrl-C) and SIGHUP raise ``Cancelled`` where the program is, except while ``hold`` is true, and
    are remembered; the cancel file is looked for whenever ``requested`` is asked. Signals are heard in the main thread
    of a process only, as Python has it.
    """

    def __init__(self, folder: Path) -> None:
        self.hold = False
        self._file = folder / files.CANCEL
        self._requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        # A request left over from an earlier run is not meant for this one.
        try:
            if self._file.stat().st_mtime < _process_start() - 1.0:
                files.remove(self._file)
        except OSError:
            pass
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGTERM", "SIGINT", "SIGHUP"):
                number = getattr(signal, name, None)
                if number is not None:
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def request(self) -> None:
        """Stop at the next check."""
        self._requested = True

    def requested(self) -> bool:
        """True once somebody asked."""
        if not self._requested and self._file.exists():
            self._requested = True
        return self._requested

    def check(self) -> None:
        """Stop here if somebody asked.

        Raises
        ------
        Cancelled
            If so.
        """
        if self.requested():
            raise Cancelled("Cancelled.")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        first = not self._requested
        self._requested = True
        if first and not self.hold:
            raise Cancelled("Cancelled.")


def _process_start() -> float:
    """When this process began, seconds since the epoch."""
    try:
        import psutil

        return float(psutil.Process().create_time())
    except Exception:  # without psutil, or where it may not look: the best that is known
        return time.time() - time.process_time()
