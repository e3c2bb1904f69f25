"""The local runner: whatever a worker does, it ends, it is explained, and nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from DynamicMRIReconLib.jobs.events import EventWriter, read_events
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.local import (
    LocalRunner,
    explain_exit,
    request_cancel,
    worker_command,
    worker_environment,
)
from DynamicMRIReconLib.jobs.lock import FolderLock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in for the worker with shell scripts")

PRELUDE = """
import json, os, signal, subprocess, sys, time
folder = sys.argv[sys.argv.index("--job") + 1]
def emit(event, **fields):
    line = json.dumps({"event": event, **fields}) + "\\n"
    open(os.path.join(folder, "events.jsonl"), "a").write(line)
    sys.stdout.write(line); sys.stdout.flush()
emit("started", pid=os.getpid())
open(os.path.join(folder, f".tmp-{os.getpid()}-half.nrrd"), "w").write("half")
"""


def fake_worker(tmp_path: Path, body: str) -> Path:
    """A program that takes the place of Python and does ``body`` whatever it is asked."""
    script = tmp_path / "worker.py"
    script.write_text(PRELUDE + textwrap.dedent(body), encoding="utf-8")
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S {script} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" in status.read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "job"
    Job(method="m", inputs=["x"], output="../out.npz").save(path)
    return path


def run(folder: Path, program: Path, **keywords: Any) -> tuple[int, list[dict[str, Any]], LocalRunner]:
    heard: list[dict[str, Any]] = []
    runner = LocalRunner(python=program, step_s=0.3, **keywords)
    return runner.run(folder, heard.append), heard, runner


def test_command_and_environment_start_this_package_from_anywhere(tmp_path: Path) -> None:
    command = worker_command("/jobs/a b", python="/opt/python")
    assert command == ["/opt/python", "-m", "DynamicMRIReconLib", "recon", "--job", "/jobs/a b", "--events"]
    assert worker_command("j")[0] == sys.executable
    environment = worker_environment({"PATH": os.environ["PATH"], "PYTHONPATH": "/x"})
    assert environment["PYTHONPATH"].endswith(f"{os.pathsep}/x")
    (tmp_path / "DynamicMRIReconLib").mkdir()
    (tmp_path / "json.py").write_text("raise SystemExit('a stranger ran')", encoding="utf-8")
    words = [*worker_command("j")[:3], "--version"]
    done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("dynamic-mri-recon")


def test_events_come_through_and_the_exit_code_is_theirs(folder: Path, tmp_path: Path) -> None:
    body = """
    print("a library talks")
    emit("progress", fraction=0.5)
    os.remove(os.path.join(folder, f".tmp-{os.getpid()}-half.nrrd"))
    emit("done", path="p")
    """
    code, heard, _ = run(folder, fake_worker(tmp_path, body))
    assert code == 0
    assert [event["event"] for event in heard] == ["started", "progress", "done"]


@pytest.mark.parametrize(("kind", "code"), [("input", 2), ("resource", 1), ("internal", 1)])
def test_error_kinds_become_exit_codes(folder: Path, tmp_path: Path, kind: str, code: int) -> None:
    program = fake_worker(tmp_path, f'emit("error", kind="{kind}", message="m"); sys.exit({code})')
    assert run(folder, program)[0] == code


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "resource", "memory"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "internal", "SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "internal", "stopped from outside"),
        ("import no_such_package", "internal", "lacks the package no_such_package"),
        ("sys.stderr.write('torch.OutOfMemoryError: CUDA out of memory'); sys.exit(1)", "resource", "preset fast"),
        ("sys.exit(7)", "internal", "exit code 7"),
        ("sys.exit(0)", "internal", "without a result"),
    ],
)
def test_a_worker_that_dies_is_explained_and_tidied_up(
    folder: Path, tmp_path: Path, body: str, kind: str, words: str
) -> None:
    torn = 'open(os.path.join(folder, "events.jsonl"), "a").write(\'{"event": "prog\'); '
    beside = 'open(os.path.join(folder, "..", f".tmp-{os.getpid()}-x.npz"), "w").close(); '
    other = 'open(os.path.join(folder, "..", ".tmp-1-x.npz"), "w").close(); '
    result = 'open(os.path.join(folder, "result.seq.nrrd"), "w").close()\n'
    code, heard, _ = run(folder, fake_worker(tmp_path, torn + beside + other + result + body))
    assert code == 1
    assert (heard[-1]["event"], heard[-1]["kind"]) == ("error", kind)
    assert words in heard[-1]["message"]
    assert read_events(folder / "events.jsonl")[-1] == heard[-1]
    assert {path.name for path in folder.iterdir()} <= {"job.json", "events.jsonl", "log.txt"}
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".tmp")}
    assert left == {".tmp-1-x.npz"}, "only what the dead worker left is removed"


def test_a_program_that_does_not_exist_is_an_error_event(folder: Path, tmp_path: Path) -> None:
    code, heard, _ = run(folder, tmp_path / "nothing")
    assert code == 1
    assert "could not be started" in heard[-1]["message"]


@pytest.mark.parametrize(
    "body",
    [
        # obeys the cancel file
        """
        while not os.path.exists(os.path.join(folder, "cancel")): time.sleep(0.01)
        emit("cancelled", message="Cancelled."); os.remove(os.path.join(folder, "cancel"))
        os.remove(os.path.join(folder, f".tmp-{os.getpid()}-half.nrrd")); sys.exit(3)
        """,
        # obeys SIGTERM only
        "time.sleep(60)",
        # obeys nothing
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
        # obeys nothing and closed its outputs
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.close(1); os.close(2); time.sleep(60)",
    ],
)
def test_cancel_ends_every_worker(folder: Path, tmp_path: Path, body: str) -> None:
    heard: list[dict[str, Any]] = []
    runner = LocalRunner(python=fake_worker(tmp_path, body), step_s=0.3)

    def on_event(event: dict[str, Any]) -> None:
        heard.append(event)
        if event["event"] == "started":
            runner.cancel()

    started = time.monotonic()
    assert runner.run(folder, on_event) == 3
    assert time.monotonic() - started < 5.0
    assert heard[-1]["event"] == "cancelled"
    assert runner.pid is not None
    assert gone(runner.pid)
    assert {path.name for path in folder.iterdir()} <= {"job.json", "events.jsonl", "log.txt"}


def test_children_that_outlive_the_worker_are_ended(folder: Path, tmp_path: Path) -> None:
    body = """
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    emit("warning", message=str(child.pid))
    emit("done", path="p")
    """
    started = time.monotonic()
    code, heard, _ = run(folder, fake_worker(tmp_path, body))
    assert code == 0
    assert time.monotonic() - started < 5.0
    child = int(heard[1]["message"])
    deadline = time.monotonic() + 2.0
    while not gone(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert gone(child)


def test_an_exception_of_the_listener_ends_the_worker(folder: Path, tmp_path: Path) -> None:
    runner = LocalRunner(python=fake_worker(tmp_path, "time.sleep(60)"), step_s=0.3)

    def on_event(event: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(folder, on_event)
    assert runner.pid is not None
    assert gone(runner.pid)


def test_cancel_before_the_start_starts_nothing_and_a_runner_runs_once(folder: Path, tmp_path: Path) -> None:
    runner = LocalRunner(python=fake_worker(tmp_path, "time.sleep(60)"))
    runner.cancel()
    assert runner.run(folder) == 3
    assert runner.pid is None
    with pytest.raises(RuntimeError, match="make a new one"):
        runner.run(folder)


def test_explain_exit_is_silent_when_the_worker_spoke_last(folder: Path) -> None:
    with EventWriter(folder / "events.jsonl") as writer:
        writer.emit("done", path="p")
    (folder / "result.seq.nrrd").touch()
    assert explain_exit(folder, -6, "aborted at exit") is None
    assert (folder / "result.seq.nrrd").exists()


def test_explain_exit_after_a_request_to_cancel_is_no_error(folder: Path) -> None:
    request_cancel(folder)
    event = explain_exit(folder, 9)
    assert event is not None
    assert event["event"] == "cancelled"
    assert not (folder / "cancel").exists()


def test_explain_exit_leaves_a_running_worker_alone(folder: Path) -> None:
    outcome: list[Any] = []
    with FolderLock(folder):
        (folder / "result.seq.nrrd").touch()
        thread = threading.Thread(target=lambda: outcome.append(explain_exit(folder, 2)))
        thread.start()
        thread.join()
    assert outcome[0]["kind"] == "input"
    assert (folder / "result.seq.nrrd").exists()


def test_what_a_crash_printed_is_kept_in_the_log(folder: Path) -> None:
    event = explain_exit(folder, -11, ["Fatal Python error: Segmentation fault", "  File x"])
    assert event is not None
    assert str(folder / "log.txt") in event["message"]
    assert "Segmentation fault" in (folder / "log.txt").read_text(encoding="utf-8")
    assert json.loads((folder / "events.jsonl").read_text(encoding="utf-8")) == event
