"""The panel on the test host, with a run that something happens to: ``panel_run.py WHAT SCAN REPORT``.

WHAT is ``close-panel`` or ``close-scene`` (done by this process, with a run after it), ``wait`` (until somebody kills
this process) or ``again`` (the same request once more). REPORT is a JSON file; with ``wait`` it comes as soon as the
run has kept how far it is. ``faults.py`` looks at what is left.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("DISPLAY", None)
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "slicer"))

import host

HOST = host.start()

import psutil  # noqa: E402
import slicer  # noqa: E402
from panel_driver import MODULE_FILE, PanelDriver  # noqa: E402

#: of each frame: a run that is ended in the middle, and one that is done in a moment
LONG, SHORT = 150, 2


def start(panel: PanelDriver, scan: Path, iterations: int) -> None:
    """Press the button."""
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    panel.parameter("iterations").setValue(iterations)
    panel.parameter("tolerance").setValue(0.0)
    panel.parameter("frames_at_once").setValue(1)
    panel.press_reconstruct()


def gone(pid: int) -> bool:
    """Whether the process has ended."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def closed(what: str, panel: PanelDriver, scan: Path) -> dict[str, Any]:
    """Close the panel or the scene while a run goes on, then run again."""
    start(panel, scan, LONG)
    pid = panel.worker_pid()
    folder = panel.logic.runs[0].folder
    assert panel.wait(lambda: (folder / "state").is_dir(), 60), panel.shown()
    children = psutil.Process(pid).children(recursive=True)
    began = time.monotonic()
    if what == "close-panel":
        panel.close()
    else:
        HOST.clear_scene()
    ended = HOST.wait_until(lambda: gone(pid) and all(gone(child.pid) for child in children), 10)
    report = {"ended": ended, "seconds": time.monotonic() - began, "left": folder.exists()}
    if what == "close-panel":
        panel = PanelDriver(HOST)
    else:
        report["status"] = panel.text("statusLabel")
    start(panel, scan, SHORT)
    panel.wait_for_end()
    return {**report, **result(panel)}


def result(panel: PanelDriver) -> dict[str, Any]:
    """What the scene holds, and the panel says; closes the panel."""
    frames = [node.GetNumberOfDataNodes() for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")]
    found = {"frames": frames, "error": panel.error_shown(), "log": panel.text("logText")}
    panel.close()
    HOST.clear_scene()
    return {**found, "slots": [str(error) for error in HOST.slot_errors]}


def main() -> int:
    """Do it; the report is whole or not there."""
    what, scan, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    HOST.load_module(MODULE_FILE)
    panel = PanelDriver(HOST)

    def report(value: dict[str, Any]) -> None:
        partial = target.with_suffix(".part")
        partial.write_text(json.dumps(value), encoding="utf-8")
        partial.replace(target)

    if what in ("close-panel", "close-scene"):
        report(closed(what, panel, scan))
        return 0
    start(panel, scan, LONG)
    if what == "again":
        panel.wait_for_end()
        report(result(panel))
        return 0
    pid = panel.worker_pid()
    folder = panel.logic.runs[0].folder
    assert panel.wait(lambda: (folder / "state").is_dir(), 60), panel.shown()
    report({"pid": pid, "folder": str(folder)})
    panel.wait(lambda: False)
    return 1


if __name__ == "__main__":
    sys.exit(main())
