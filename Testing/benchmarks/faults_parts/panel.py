"""What happens to the panel's run when the panel, the scene or Slicer goes; on the test host of ``Testing/slicer``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from faults_parts.cases import Ended
from faults_parts.workplace import WAIT_S, Workplace, digest

from DynamicMRIReconLib.jobs.events import final_event, read_events
from DynamicMRIReconLib.jobs.saved_state import KEEP_EVERY_VARIABLE

_SCRIPT = Path(__file__).with_name("panel_run.py")
#: a run that is to end is gone within this
_ENDS_S = 3.0
#: a worker whose Slicer is gone finds out when it tells the next step
_NOTICES_S = 10.0
_FRAMES = 20


class _Panel:
    """The script in a process of its own, with the workplace's folder for temporary files."""

    def __init__(self, place: Workplace, what: str) -> None:
        self._report = place.base / f"{what}.json"
        environment = {**os.environ, "TMPDIR": str(place.temporary), KEEP_EVERY_VARIABLE: "0.2"}
        words = [sys.executable, str(_SCRIPT), what, str(place.input), str(self._report)]
        self._errors = place.base / f"{what}.txt"
        with self._errors.open("w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=errors)

    def report(self) -> dict[str, Any]:
        """What it found; nothing when it failed."""
        ends = time.monotonic() + WAIT_S
        while not self._report.exists() and self.process.poll() is None and time.monotonic() < ends:
            time.sleep(0.05)
        if not self._report.exists():
            self.process.kill()
            return {}
        found: dict[str, Any] = json.loads(self._report.read_text(encoding="utf-8"))
        return found

    def end(self) -> int:
        """Its exit code."""
        return self.process.wait(WAIT_S)

    @property
    def errors(self) -> str:
        """The last that it said."""
        return self._errors.read_text(encoding="utf-8", errors="replace").strip()[-300:]


def _missing() -> str:
    from importlib.util import find_spec

    return "" if find_spec("PySide6") else "the panel's test host needs PySide6 and slicer-core"


def _left(place: Workplace) -> list[str]:
    wrong = []
    # the test host's own folder, which goes when it ends and stays when it is killed; torch has one for each user
    ours = (path.name for path in place.temporary.iterdir())
    if names := [name for name in ours if not name.startswith(("slicer-host-", "torchinductor_"))]:
        wrong.append(f"temporary files are left: {', '.join(names)}")
    if digest(place.input) != place.digest:
        wrong.append("the input changed")
    return wrong


def _closed(what: str) -> Callable[[Workplace], Ended]:
    def case(place: Workplace) -> Ended:
        if why := _missing():
            return Ended(skipped=why)
        panel = _Panel(place, what)
        found = panel.report()
        if panel.end() != 0 or not found:
            return Ended(wrong=[f"the panel failed: {panel.errors}"])
        wrong = _left(place)
        if not found["ended"] or found["seconds"] > _ENDS_S:
            wrong.append(f"the worker lived for {found['seconds']:.1f} s more")
        if found["left"]:
            wrong.append("the job folder is left")
        if found["frames"] != [_FRAMES] or found["error"] or found["slots"]:
            wrong.append(f"the next run: {found}")
        said = f"; the panel says: {found['status']}" if "status" in found else ""
        return Ended(None, f"the worker is gone within {_ENDS_S:.0f} s, its folder too{said}", wrong)

    return case


def _slicer_killed(place: Workplace) -> Ended:
    if why := _missing():
        return Ended(skipped=why)
    panel = _Panel(place, "wait")
    found = panel.report()
    if not found:
        return Ended(wrong=[f"the panel failed: {panel.errors}"])
    panel.process.send_signal(signal.SIGKILL)
    code = panel.end()
    began = time.monotonic()
    while psutil.pid_exists(found["pid"]) and time.monotonic() - began < 10 * _NOTICES_S:
        time.sleep(0.02)
    waited, wrong = time.monotonic() - began, []
    if waited > _NOTICES_S:
        wrong.append(f"the worker lived for {waited:.1f} s more")
    told = final_event(read_events(Path(found["folder"]) / "events.jsonl")) or {}
    if told.get("event") != "cancelled":
        wrong.append(f"the events end with {told}")
    again = _Panel(place, "again")
    then = again.report()
    if again.end() != 0 or then.get("frames") != [_FRAMES] or then.get("error") or then.get("slots"):
        wrong.append(f"the next Slicer: {then or again.errors}")
    elif "Going on from" not in then["log"]:
        wrong.append("the next Slicer's run started anew")
    wrong += _left(place)
    message = (
        f"the worker notices and is gone within {_NOTICES_S:.0f} s ({told.get('event')}); asked for the same in a new "
        "Slicer, the run goes on from where it was, and the folder that was left goes"
    )
    return Ended(code, message, wrong)


PANEL: dict[str, Callable[[Workplace], Ended]] = {
    "panel closed while iterating": _closed("close-panel"),
    "Slicer scene closed while iterating": _closed("close-scene"),
    "Slicer killed (SIGKILL) while iterating": _slicer_killed,
}
