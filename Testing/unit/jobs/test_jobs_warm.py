"""Workers that are forked from a process with the libraries in it: as good as those that start alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from DynamicMRIReconLib.jobs import warm
from DynamicMRIReconLib.jobs.local import LocalRunner, worker_environment
from DynamicMRIReconLib.jobs.warm import ForkedProcess, WarmStarter

pytestmark = pytest.mark.skipif(not warm.available, reason="this system does not fork")
LIMIT_S = 300


@pytest.fixture(scope="module")
def starter() -> Iterator[WarmStarter]:
    """Ended afterwards."""
    found = WarmStarter(worker_environment(), loaded=["DynamicMRIReconLib.cli"])
    yield found
    server = found._server
    found.close()
    assert server is not None
    assert server.returncode == 0


def start(starter: WarmStarter, *words: str) -> ForkedProcess:
    return starter.start(["python", "-m", "DynamicMRIReconLib", *words], {})


def ended(process: ForkedProcess) -> tuple[int, bytes, bytes]:
    out, err = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    return process.wait(LIMIT_S), out, err


def test_output_errors_and_exit_codes_come_through(starter: WarmStarter, tmp_path: Path) -> None:
    code, out, err = ended(start(starter, "--version"))
    assert (code, err) == (0, b"")
    assert out.startswith(b"dynamic-mri-recon ")
    code, out, err = ended(start(starter, "info", str(tmp_path / "nothing.h5")))
    assert (code, out) == (2, b"")
    assert b"does not exist" in err


def test_a_killed_worker_is_told_by_its_signal(starter: WarmStarter, tmp_path: Path) -> None:
    process = start(starter, "recon", "--job", str(tmp_path))
    process.kill()
    assert ended(process)[0] == -signal.SIGKILL
    process.kill()
    fifo = tmp_path / "manifest.csv"
    os.mkfifo(fifo)
    hanging = start(starter, "batch", str(fifo), "--check")
    assert hanging.poll() is None
    assert os.getpgid(hanging.pid) == hanging.pid, "a group of its own"
    with pytest.raises(subprocess.TimeoutExpired):
        hanging.wait(0.05)
    hanging.kill()
    assert ended(hanging)[0] == -signal.SIGKILL


def test_a_runner_uses_it_like_any_other(starter: WarmStarter, tmp_path: Path) -> None:
    events: list[dict[str, object]] = []
    assert LocalRunner(start=starter.start).run(tmp_path, events.append) == 2
    assert "does not exist" in str(events[-1]["message"])


def test_it_ends_with_its_owner_and_says_when_it_is_gone(tmp_path: Path) -> None:
    starter = WarmStarter(worker_environment(), loaded=["DynamicMRIReconLib.cli"])
    assert ended(start(starter, "--version"))[0] == 0
    assert starter._server is not None
    server = psutil.Process(starter._server.pid)
    server.kill()
    until = time.monotonic() + LIMIT_S
    while starter._server.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    with pytest.raises(OSError):
        start(starter, "--version")
    assert ended(start(starter, "--version"))[0] == 0, "the next time there is a new one"
    starter.close()
