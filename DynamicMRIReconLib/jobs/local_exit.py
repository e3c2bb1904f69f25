"""What happened to a worker that is gone without having said so. Standard library only."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import EventWriter, final_event, read_events
from DynamicMRIReconLib.jobs.lock import BUSY, is_running
from DynamicMRIReconLib.json_text import parsed_json

_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|cannot allocate memory|bad_alloc|MemoryError", re.I)
_SMALLER = "Use the preset fast, fewer frames, or a computer with more memory; closing other programs may help."


def explain_exit(
    folder: str | Path, returncode: int | None, stderr_tail: str | Sequence[str] = ""
) -> dict[str, Any] | None:
    """What to tell of a worker that is gone. Call it after every end of a worker process.

    None when the worker said itself how it ended. Else an ``error`` event (``cancelled`` when it had been asked to
    stop), which is also appended to the job's events; unfinished files, preview and cancel request are removed.

    Parameters
    ----------
    folder
        The job folder.
    returncode
        Exit code; the negative signal number when a signal ended it (as ``subprocess`` has it; QProcess gives the
        positive number with ``CrashExit``: both are understood for 9). None: it could not be started.
    stderr_tail
        The last lines of its standard error, whole text or a list.
    """
    folder = Path(folder)
    events = read_events(folder / files.EVENTS)
    if is_running(folder):
        # The worker that ended was refused because of this one, whose files are none of our business.
        return {"event": "error", "kind": "input", "message": f"The job in {folder} {BUSY}."}
    if final_event(events) is not None:
        return None
    asked = (folder / files.CANCEL).exists()
    text = stderr_tail if isinstance(stderr_tail, str) else "\n".join(stderr_tail)
    _clean_up(folder, events)
    _keep_in_log(folder / files.LOG, text)
    if asked:
        event: dict[str, Any] = {"event": "cancelled", "message": "Cancelled; the worker was stopped."}
    else:
        kind, message = _reason(returncode, text.strip(), folder / files.LOG)
        event = {"event": "error", "kind": kind, "message": message}
    _append(folder / files.EVENTS, event)
    return event


def _reason(returncode: int | None, stderr: str, log: Path) -> tuple[str, str]:
    last = stderr.splitlines()[-1][:300] if stderr else ""
    if returncode is None:
        return "internal", "The worker could not be started: check that its Python program exists and may be run."
    if _OUT_OF_MEMORY.search(stderr):
        return "resource", f"The reconstruction ran out of memory. {_SMALLER}"
    if returncode in (-9, 9, 137):
        return "resource", f"The reconstruction was killed, most likely because memory ran out. {_SMALLER}"
    missing = re.search(r"No module named '([\w.]+)'", stderr)
    if missing:
        return "internal", f"The worker's Python lacks the package {missing[1]}: install the project's dependencies."
    name = _signal_name(returncode)
    if name in ("SIGTERM", "SIGHUP", "SIGINT"):
        return "internal", f"The worker was stopped from outside ({name}): start the job again."
    if name:
        return "internal", f"The worker crashed ({name}): try the device cpu or the preset fast. Its log is {log}."
    detail = f": {last}" if last else ""
    return "internal", f"The worker ended without a result (exit code {returncode}){detail}. Its log is {log}."


def _signal_name(returncode: int) -> str:
    number = -returncode if returncode < 0 else returncode - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        # Windows reports a crash as an NTSTATUS code.
        return f"code {returncode:#x}" if returncode > 0xC0000000 else ""


def _clean_up(folder: Path, events: list[dict[str, Any]]) -> None:
    with suppress(OSError):
        files.remove_parts(folder)
        for name in (files.RESULT, files.PREVIEW, files.CANCEL, files.LOCK):
            files.remove(folder / name)
    pid = next((event.get("pid") for event in events if event["event"] == "started"), None)
    if not isinstance(pid, int):
        return
    files.remove_unfinished(folder, pid)
    with suppress(OSError, ValueError, AttributeError, TypeError):
        output = parsed_json((folder / files.JOB).read_bytes()).get("output")
        if output:
            files.remove_unfinished((folder / Path(output).expanduser()).parent, pid)


def _keep_in_log(log: Path, stderr: str) -> None:
    """What a crashing program printed last is often all that is known of the crash."""
    with suppress(OSError):
        if stderr.strip():
            with log.open("a", encoding="utf-8") as file:
                file.write(f"Last lines on standard error:\n{stderr.strip()}\n")


def _append(path: Path, event: dict[str, Any]) -> None:
    # A worker killed while writing leaves half a line: end it first.
    with suppress(OSError):
        written = path.read_bytes() if path.exists() else b""
        if written and not written.endswith(b"\n"):
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        with EventWriter(path) as writer:
            writer.emit(event["event"], **{key: value for key, value in event.items() if key != "event"})
