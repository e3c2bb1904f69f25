"""From a running method to events: progress with the time left, previews, warnings."""

from __future__ import annotations

import logging
import math
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import ResourceError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import EventWriter
from DynamicMRIReconLib.jobs.progress import RemainingTime
from DynamicMRIReconLib.jobs.stop import StopRequest
from DynamicMRIReconLib.methods.base import Context

logger = logging.getLogger(__name__)

#: seconds between progress events, and between previews
PROGRESS_EVERY_S = 0.1
PREVIEW_EVERY_S = 1.0


class Reporter:
    """Turns what a run says into events.

    Parameters
    ----------
    folder
        Job folder, for the preview.
    writer
        Where events go. When it breaks because nobody listens any more, the run is asked to stop.
    stop
        Request to stop, seen by the contexts made here.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self, folder: Path, writer: EventWriter, stop: StopRequest, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.warnings: list[str] = []
        self._folder = folder
        self._writer = writer
        self._stop = stop
        self._clock = clock
        self._started = clock()
        self._remaining: RemainingTime | None = None
        self._fraction = 0.0
        self._last_progress: float | None = None
        self._last_preview: float | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def emit(self, event: str, **fields: Any) -> None:
        """Write an event; a listener that is gone is taken as a request to stop."""
        try:
            self._writer.emit(event, **fields)
        except BrokenPipeError:
            logger.warning("Nobody listens any more: stopping.")
            self._stop.request()

    def started(self, method: str, device: str) -> None:
        """The first event: who does what."""
        self.emit(
            "started",
            method=method,
            device=device,
            pid=os.getpid(),
            host=socket.gethostname(),
            job=str(self._folder),
        )

    def context(self, device: str, seed: int, share: tuple[float, float]) -> Context:
        """What a method needs to report into the part ``share`` (from, to) of the whole."""
        return Context(
            device=device,
            seed=seed,
            progress=self.progress,
            cancelled=self._stop.requested,
            preview=self.preview,
            warn=self.warn,
            _share=share,
        )

    def expect(self, seconds: float) -> None:
        """The rest is expected to take ``seconds``; from here on the time left is estimated."""
        self._remaining = RemainingTime(self._clock(), seconds if math.isfinite(seconds) else None)

    def progress(self, fraction: float, message: str) -> None:
        """Report a fraction (0..1) done; it never falls, and not every small step becomes an event.

        Raises
        ------
        ResourceError
            The job folder is gone.
        """
        now = self._clock()
        self._fraction = max(self._fraction, min(1.0, float(fraction)))
        remaining = self._remaining.update(self._fraction, now) if self._remaining else None
        if self._last_progress is not None and now - self._last_progress < PROGRESS_EVERY_S and self._fraction < 1.0:
            return
        self._last_progress = now
        self._check_folder()
        self.emit(
            "progress",
            fraction=round(self._fraction, 5),
            message=message,
            elapsed_s=round(now - self._started, 2),
            remaining_s=None if remaining is None else round(remaining, 1),
        )

    def _check_folder(self) -> None:
        """A run without a folder has no place for its result: better now than after hours."""
        try:
            self._folder.stat()
        except FileNotFoundError:
            raise ResourceError(
                f"The job folder {self._folder} was removed while the job ran: make it again and leave it there."
            ) from None
        except OSError:
            # a network that stumbles is no reason to stop
            pass

    def stage(self, fraction: float, message: str) -> None:
        """Begin a stage: always an event, and a place to stop."""
        self._stop.check()
        self._last_progress = None
        self.progress(fraction, message)

    def warn(self, message: str) -> None:
        """Pass on a sentence the user should read, once."""
        if message not in self.warnings:
            self.warnings.append(message)
            logger.warning("%s", message)
            self.emit("warning", message=message)

    def note(self, message: str) -> None:
        """Pass on a sentence that is about this run and not about its result."""
        logger.warning("%s", message)
        self.emit("warning", message=message)

    def resumed(self, message: str) -> None:
        """The run goes on from what an earlier one has kept."""
        logger.info("%s", message)
        self.emit("resumed", message=message)

    def preview(self, array: NDArray[np.float32]) -> None:
        """Show intermediate images, now and then; a preview that cannot be written is no reason to fail."""
        now = self._clock()
        if self._last_preview is not None and now - self._last_preview < PREVIEW_EVERY_S:
            return
        self._last_preview = now
        path = self._folder / files.PREVIEW
        temporary = self._folder / f"{files.temporary_prefix(os.getpid())}{files.PREVIEW}"
        try:
            with temporary.open("wb") as file:
                np.save(file, np.asarray(array, np.float32), allow_pickle=False)
            os.replace(temporary, path)  # noqa: PTH105  one atomic system call
        except OSError as error:
            logger.warning("The preview was not written: %s", error)
            return
        finally:
            files.remove(temporary)
        self.emit("preview", path=str(path))
