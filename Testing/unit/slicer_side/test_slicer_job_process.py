"""The worker process seen through Qt: one end for every start, whatever the worker does."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slicer,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in workers are shell scripts"),
]


@pytest.fixture
def start(slicer_application: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start a worker whose Python code is given; gives the process, its events and its log."""
    from DynamicMRIReconSlicer import jobProcess

    monkeypatch.setattr(jobProcess, "STEP_MS", 300)
    started: list[Any] = []

    def run(code: str, program: str | None = None) -> tuple[Any, list[dict[str, Any]], list[str]]:
        folder = tmp_path / "job"
        folder.mkdir()
        script, launcher = tmp_path / "worker.py", tmp_path / "python"
        script.write_text(code, encoding="utf-8")
        launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', encoding="utf-8")
        launcher.chmod(0o755)
        events: list[dict[str, Any]] = []
        log: list[str] = []
        process = jobProcess.JobProcess(folder, events.append, log.append, program or str(launcher))
        started.append(process)
        process.start()
        return process, events, log

    yield run
    for process in started:
        process.stopNow()


def ends(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] in ("done", "cancelled", "error")]


def wait(application: Any, condition: Any, timeout_s: float = 20.0) -> None:
    assert application.wait_until(condition, timeout_s)


def alive(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_events_cut_in_pieces_and_noise_between_them(slicer_application: Any, start: Any) -> None:
    process, events, log = start(
        "import sys, time, os\n"
        'for part in (b\'{"event": "prog\', b\'ress", "message": "M\\xc3\', b\'\\xbcller"}\\nnoise\\n\'):\n'
        "    sys.stdout.buffer.write(part); sys.stdout.flush(); time.sleep(0.05)\n"
        "sys.stderr.write('a warning of a library\\n')\n"
        'print(\'{"event": "done", "path": "x"}\')\n'
    )
    wait(slicer_application, lambda: not process.running)
    assert [event["event"] for event in events] == ["progress", "done"]
    assert events[0]["message"] == "Müller"
    assert log == ["a warning of a library"]


def test_done_is_told_only_when_the_process_is_gone(slicer_application: Any, start: Any) -> None:
    process, events, _ = start(
        'import os, time\nprint(\'{"event": "started", "pid": %d}\' % os.getpid(), flush=True)\n'
        'print(\'{"event": "done"}\', flush=True)\ntime.sleep(0.5)\n'
    )
    wait(slicer_application, lambda: ends(events))
    assert not alive(events[0]["pid"])
    assert not process.running


def test_a_program_that_does_not_exist_is_an_error_not_a_hang(slicer_application: Any, start: Any) -> None:
    process, events, _ = start("", program="/no/such/python")
    wait(slicer_application, lambda: not process.running, 5)
    assert [event["event"] for event in events] == ["error"]
    assert "start" in events[0]["message"]


def test_a_worker_that_dies_without_a_word_is_explained(slicer_application: Any, start: Any) -> None:
    process, events, _ = start("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    wait(slicer_application, lambda: not process.running)
    assert [event["event"] for event in events] == ["error"]
    assert events[0]["kind"] == "resource"
    assert "killed" in events[0]["message"]


def test_a_traceback_is_not_taken_for_a_result(slicer_application: Any, start: Any) -> None:
    process, events, log = start("raise RuntimeError('broken on purpose')\n")
    wait(slicer_application, lambda: not process.running)
    assert [event["event"] for event in events] == ["error"]
    assert "broken on purpose" in events[0]["message"]
    assert any("Traceback" in line for line in log)


def test_a_worker_that_listens_to_nothing_is_killed_with_its_children(slicer_application: Any, start: Any) -> None:
    process, events, _ = start(
        "import json, os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(json.dumps({'event': 'started', 'pid': os.getpid(), 'child': child.pid}), flush=True)\n"
        "time.sleep(60)\n"
    )
    wait(slicer_application, lambda: events)
    pids = [events[0]["pid"], events[0]["child"]]
    assert process.pid == pids[0]
    assert all(alive(pid) for pid in pids)
    pressed = time.monotonic()
    process.cancel()
    wait(slicer_application, lambda: not process.running, 5)
    assert time.monotonic() - pressed < 3
    wait(slicer_application, lambda: not any(alive(pid) for pid in pids), 3)
    assert [event["event"] for event in ends(events)] == ["cancelled"]


def test_stopping_at_once_reports_nothing(slicer_application: Any, start: Any) -> None:
    process, events, _ = start('import time\nprint(\'{"event": "started"}\', flush=True)\ntime.sleep(60)\n')
    wait(slicer_application, lambda: events)
    pid = process.pid
    process.stopNow()
    assert not process.running
    assert not alive(pid)
    assert ends(events) == []
