"""``recon`` from beginning to end, in processes as a user starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import cli_progress, io
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.saved_state import KEEP_EVERY_VARIABLE

PROGRAM = [sys.executable, "-m", "DynamicMRIReconLib"]
METHOD = ["--method", "cg-sense", "--device", "cpu"]


def test_recon_writes_what_the_library_computes(
    call: Any, kspace_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    output = tmp_path / "out.npz"
    output.write_text("an older file, to be replaced", encoding="utf-8")
    outcome = call("recon", kspace_file, *METHOD, "--set", "iterations=5", "--seed", 2, "--output", output)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1].startswith("3 frames in ")
    assert outcome.out.rstrip().endswith(f"-> {output}. Not for diagnostic use.")
    assert list(temporary.iterdir()) == [], "the job's folder is removed"
    result = dmr.read(output)
    expected = dmr.reconstruct(dmr.read(kspace_file), "cg-sense", iterations=5, device="cpu", seed=2)
    assert result.array.dtype == np.complex64
    np.testing.assert_array_equal(result.array, expected.array)
    np.testing.assert_allclose(result.times_s, [0.0, 0.05, 0.1])
    assert result.metadata["provenance"]["parameters"]["iterations"] == 5
    assert result.metadata["provenance"]["seed"] == 2


def test_events_are_json_lines_and_nothing_else(call: Any, kspace_file: Path, tmp_path: Path) -> None:
    reference = io.write(
        tmp_path / "truth.npz", dmr.reconstruct(dmr.read(kspace_file), "cg-sense", iterations=30, device="cpu")
    )
    output = tmp_path / "out.seq.nrrd"
    outcome = call("recon", kspace_file, *METHOD, "--reference", reference, "--output", output, "--events")
    assert (outcome.code, outcome.err) == (0, "")
    events = [json.loads(line) for line in outcome.out.splitlines()]
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "done"
    assert events[-1]["path"] == events[-1]["output"] == str(output)
    assert events[-1]["metrics"]["psnr_db"] > 20
    for event in events:
        if event["event"] == "progress":
            assert set(event) == {"event", "fraction", "message", "elapsed_s", "remaining_s"}
            assert 0 <= event["fraction"] <= 1


def without_comments(path: Path) -> bytes:
    """A NRRD file without the comment lines of its header, in which the library that writes it notes the time."""
    header, _, data = path.read_bytes().partition(b"\n\n")
    return b"\n".join(line for line in header.splitlines() if not line.startswith(b"#")) + data


def test_a_job_folder_is_run_and_repeated(call: Any, kspace_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    Job(method="gridding", inputs=[kspace_file], device="cpu").save(folder)
    first = call("recon", "--job", folder, "--events")
    assert first.code == 0
    assert json.loads(first.out.splitlines()[-1])["path"] == str(folder / "result.seq.nrrd")
    result = without_comments(folder / "result.seq.nrrd")
    second = call("recon", "--job", folder)
    assert (second.code, second.err) == (0, "")
    assert str(folder / "result.seq.nrrd") in second.out
    assert without_comments(folder / "result.seq.nrrd") == result
    command = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["command"].split()
    assert command[:2] == ["dynamic-mri-recon", "recon"]
    command[command.index("--output") + 1] = str(tmp_path / "again.seq.nrrd")
    assert call(*command[1:]).code == 0
    assert without_comments(tmp_path / "again.seq.nrrd") == result


def test_an_error_of_a_job_is_one_line_and_the_last_event(call: Any, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    Job(method="gridding", inputs=["gone.h5"], device="cpu").save(folder)
    outcome = call("recon", "--job", folder, "--events")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "gone.h5 does not exist" in outcome.err
    assert json.loads(outcome.out.splitlines()[-1])["kind"] == "input"


def long_scan(folder: Path) -> Path:
    """k-space that keeps conjugate gradients busy for a minute."""
    random = np.random.default_rng(0)
    samples = (random.standard_normal((20, 4, 1, 64, 64)) + 1j).astype(np.complex64)
    maps = (random.standard_normal((4, 1, 64, 64)) + 1j).astype(np.complex64)
    return io.write(folder / "long.npz", KSpace(samples, np.eye(4), np.arange(20.0), coil_maps=maps))


@contextmanager
def long_recon(
    folder: Path, output: Path, variables: dict[str, str] | None = None, until: float = 0.1
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A reconstruction that is iterating, and the process number of its worker."""
    words = ["recon", long_scan(folder), *METHOD, "--set", "iterations=1000", "--set", "tolerance=0"]
    words += ["--set", "frames_at_once=1", "--output", output, "--events"]
    environment = {**os.environ, "TMPDIR": str(folder / "temporary"), "OMP_NUM_THREADS": "1", **(variables or {})}
    (folder / "temporary").mkdir()
    process = subprocess.Popen(
        [*PROGRAM, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        worker = 0
        for line in process.stdout:
            event = json.loads(line)
            worker = event.get("pid", worker)
            if event.get("fraction", 0) > until:
                break
        else:
            raise AssertionError(process.stderr.read())
        yield process, worker
    finally:
        process.kill()
        process.communicate()


def ended(pid: int) -> bool:
    """True once the process is gone, or dead and waiting for somebody to notice."""
    for _ in range(150):
        if not psutil.pid_exists(pid):
            return True
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_cancels_and_leaves_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with long_recon(tmp_path, folder / "out.seq.nrrd") as (process, worker):
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - started < 5.0
    assert process.returncode == 3
    assert err == "dynamic-mri-recon: Cancelled.\n"
    assert json.loads(out.splitlines()[-1])["event"] == "cancelled"
    assert ended(worker)
    assert list(folder.iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_worker_is_an_error_not_a_hang(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with long_recon(tmp_path, folder / "out.seq.nrrd") as (process, worker):
        os.kill(worker, signal.SIGKILL)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert "memory ran out" in err
    assert "preset fast" in err
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["kind"]) == ("error", "resource")
    assert list(folder.iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_failed_run_that_kept_its_state_says_how_to_go_on(tmp_path: Path) -> None:
    keeping = {KEEP_EVERY_VARIABLE: "0"}
    with long_recon(tmp_path, tmp_path / "out.npz", keeping, until=0.101) as (process, worker):
        os.kill(worker, signal.SIGKILL)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err.count("\n")) == (1, 1)
    (folder,) = (tmp_path / "temporary").iterdir()
    assert list((folder / "state").glob("*.npz"))
    assert err.endswith(f"It can go on from where it was: dynamic-mri-recon recon --overwrite --job {folder}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_worker_whose_parent_was_killed_stops_by_itself(tmp_path: Path) -> None:
    with long_recon(tmp_path, tmp_path / "out.seq.nrrd") as (process, worker):
        process.kill()
        process.communicate(timeout=20)
        assert ended(worker)
    assert not (tmp_path / "out.seq.nrrd").exists()


def test_an_unexpected_failure_keeps_its_log(
    call: Any, kspace_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DynamicMRIReconLib.jobs import local_process

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    real = local_process.start

    def start(command: list[str], environment: Any) -> Any:
        code = "import sys; sys.stderr.write('the last words'); sys.exit(9 - 2)"
        return real([command[0], "-c", code], environment)

    monkeypatch.setattr(local_process, "start", start)
    outcome = call("recon", kspace_file, *METHOD, "--output", tmp_path / "out.npz")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    (log,) = temporary.iterdir()
    assert str(log) in outcome.err
    assert "the last words" in log.read_text(encoding="utf-8")


def test_a_terminal_gets_a_bar_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    import io as text_io

    stream = text_io.StringIO()
    bar = cli_progress.Bar(stream)
    bar.show({"event": "progress", "fraction": 0.5, "message": "CG", "elapsed_s": 1.0, "remaining_s": 12.0})
    bar.close()
    assert " 50%" in stream.getvalue()
    assert "12 s left" in stream.getvalue()
    assert "CG" in stream.getvalue()
