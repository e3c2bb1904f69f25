"""Runs the job in a folder, in this process: what a worker process does from beginning to end.

Rules
-----
* One worker a folder. What an earlier run made is removed first; the job file and what the user put there stay.
* The first run notes the SHA-256 of every input in ``job.json``. A repeat on changed input is refused (kind
  ``input``): it would not be a repeat; make a new job instead.
* ``output`` never replaces a file that this job did not make, unless ``overwrite`` is given: a job file may come from
  somebody else.
* However a run ends, no unfinished file is left; unless it ends with ``done``, no result and no preview either.
* What a long run keeps of its state (``saved_state``) stays until the job is done.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from DynamicMRIReconLib.errors import Cancelled, InputError
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import EventWriter, read_events
from DynamicMRIReconLib.jobs.failures import in_words
from DynamicMRIReconLib.jobs.lock import FolderLock
from DynamicMRIReconLib.jobs.log import log_to
from DynamicMRIReconLib.jobs.privacy import redacted, redactor_in
from DynamicMRIReconLib.jobs.reporting import Reporter
from DynamicMRIReconLib.jobs.steps import Run
from DynamicMRIReconLib.jobs.stop import StopRequest
from DynamicMRIReconLib.json_text import parsed_json

logger = logging.getLogger(__name__)

Listener = Callable[[dict[str, Any]], None]
EXIT_DONE, EXIT_FAILED = 0, 1


def run_job(
    folder: str | Path,
    *,
    echo_events: TextIO | None = None,
    listener: Listener | None = None,
    overwrite: bool = False,
) -> int:
    """Run or repeat the job in ``folder``.

    Parameters
    ----------
    folder
        Holds ``job.json``; receives ``events.jsonl``, ``log.txt``, ``preview.npy``, ``result.seq.nrrd``, its parts
        (``result.low-rank.seq.nrrd``...) where the method gives some, and ``provenance.json``.
    echo_events
        Stream that gets every event as well, a line each.
    listener
        Called with every event.
    overwrite
        ``output`` may replace any file.

    Returns
    -------
    int
        0 done, 1 failed, 2 the request or the input is at fault, 3 cancelled. Nothing is raised for these; the last
        event says what happened.
    """
    folder = Path(folder)
    try:
        with FolderLock(folder):
            return _run_locked(folder, echo_events, listener, overwrite)
    except (InputError, OSError) as error:
        # The folder is not ours, or not usable: say it, and touch nothing there.
        reason = in_words(error, folder / files.LOG)
        with suppress(OSError), EventWriter(None, echo_events, listener) as writer:
            writer.emit("error", kind=reason.kind, message=str(reason))
        return reason.exit_code


def _run_locked(folder: Path, echo: TextIO | None, listener: Listener | None, overwrite: bool) -> int:
    made_output = _recorded_output(folder)
    _remove_left_over(folder)
    for name in files.MADE_BY_A_RUN:
        files.remove(folder / name)
    files.remove_parts(folder)
    redact = redactor_in(folder)
    with (
        EventWriter(folder / files.EVENTS, echo, listener, lambda event: redacted(event, redact)) as writer,
        log_to(folder / files.LOG, redact),
        StopRequest(folder) as stop,
    ):
        reporter = Reporter(folder, writer, stop)
        code = EXIT_FAILED
        try:
            fields = Run(folder, reporter, stop, overwrite=overwrite, made_output=made_output).run()
            code = EXIT_DONE
            last = ("done", fields)
        except Cancelled as error:
            stop.hold = True
            code = error.exit_code
            last = ("cancelled", {"message": "Cancelled."})
        except Exception as error:
            stop.hold = True
            reason = in_words(error, folder / files.LOG)
            code = reason.exit_code
            logger.error("%s", reason, exc_info=error)
            if reason.kind == "internal":
                # the state may have led to it, and would again
                files.remove_state(folder)
            last = ("error", {"kind": reason.kind, "message": str(reason)})
        finally:
            stop.hold = True
            _clean_up(folder, done=code == EXIT_DONE)
        with suppress(OSError):
            reporter.emit(last[0], **last[1])
    return code


def _remove_left_over(folder: Path) -> None:
    """Delete the unfinished files of an earlier run that nobody could tidy up after, as when the power fails."""
    for event in read_events(folder / files.EVENTS):
        if event["event"] == "started" and isinstance(event.get("pid"), int):
            files.remove_unfinished(folder, event["pid"])


def _recorded_output(folder: Path) -> dict[str, Any] | None:
    """Path and SHA-256 of the extra output and its parts that the last run of this job wrote, from its provenance."""
    try:
        recorded = parsed_json((folder / files.PROVENANCE).read_bytes())["output"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(recorded, dict):
        return None
    # The record may come from somebody else: what is not as a run writes it is left out.
    parts, transforms = recorded.get("parts"), recorded.get("transforms")
    parts = parts if isinstance(parts, dict) else {}
    return {
        **recorded,
        "parts": {name: one for name, one in parts.items() if isinstance(one, dict)},
        "transforms": [one for one in transforms if isinstance(one, str)] if isinstance(transforms, list) else [],
    }


def _clean_up(folder: Path, *, done: bool) -> None:
    files.remove_unfinished(folder, os.getpid())
    files.remove(folder / files.CANCEL)
    if done:
        files.remove_state(folder)
    else:
        for name in (files.RESULT, files.PREVIEW, files.PROVENANCE):
            files.remove(folder / name)
        files.remove_parts(folder)
