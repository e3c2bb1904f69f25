"""The worker: from a job folder to a result, or to a clean end."""

from __future__ import annotations

import hashlib
import io as text_io
import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worker_files import STAYS_ON_FAILURE, change, last, names

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs import memory_limits, reporting
from DynamicMRIReconLib.jobs.events import EventReader, read_events
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.local import request_cancel
from DynamicMRIReconLib.jobs.lock import FolderLock, is_running
from DynamicMRIReconLib.jobs.worker import run_job


def test_a_run_tells_its_story_and_leaves_the_files_it_should(job_folder: Path, series_file: Path) -> None:
    echo = text_io.StringIO()
    assert run_job(job_folder, echo_events=echo) == 0
    events = read_events(job_folder / "events.jsonl")
    assert EventReader().feed(echo.getvalue().encode()) == events
    kinds = [event["event"] for event in events]
    assert kinds[0] == "started"
    assert kinds[-1] == "done"
    assert {"progress", "preview", "warning"} < set(kinds)
    assert events[0]["pid"] == os.getpid()
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert min(fractions) >= 0.0
    assert max(fractions) <= 1.0
    assert names(job_folder) == STAYS_ON_FAILURE | {"preview.npy", "result.seq.nrrd", "provenance.json"}
    done = events[-1]
    assert done["path"] == str(job_folder / "result.seq.nrrd")
    assert done["frames"] == 4
    np.testing.assert_array_equal(np.load(job_folder / "preview.npy"), io.read(series_file).array)
    result = io.read(done["path"])
    np.testing.assert_allclose(result.times_s, [0.0, 0.1, 0.2, 0.3])


def test_provenance_says_what_is_needed_to_repeat_and_to_doubt(job_folder: Path, series_file: Path) -> None:
    run_job(job_folder)
    origin = json.loads((job_folder / "provenance.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(series_file.read_bytes()).hexdigest()
    assert origin["method"] == "stepwise"
    assert origin["parameters"] == {"steps": 3, "step_s": 0.0, "failure": "", "memory_bytes": 1.0}
    assert origin["seed"] == 3
    assert origin["device"] == "cpu"
    assert origin["inputs"] == [{"path": str(series_file), "sha256": digest}]
    assert Job.load(job_folder).inputs[0].sha256 == digest
    assert origin["weights_sha256"] is None
    assert origin["versions"]["numpy"] == np.__version__
    assert origin["hardware"]["cores"] == os.cpu_count()
    assert origin["wall_time_s"] > 0
    assert origin["peak_memory"]["main_bytes"] > 10_000_000
    assert origin["warnings"] == ["Only a test."]
    assert f"recon {series_file} --method stepwise" in origin["command"]
    assert origin["notice"] == "Not for diagnostic use."
    header = io.read(job_folder / "result.seq.nrrd").metadata["provenance"]
    assert header["method"] == "stepwise"
    assert header["inputs"] == [{"name": series_file.name, "sha256": digest}]
    assert str(series_file.parent) not in json.dumps(header)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(job_folder: Path) -> None:
    def result() -> bytes:
        assert run_job(job_folder) == 0
        header, _, data = (job_folder / "result.seq.nrrd").read_bytes().partition(b"\n\n")
        # The library that writes it notes the time in a comment.
        return b"\n".join(line for line in header.splitlines() if not line.startswith(b"#")) + data

    first = result()
    assert result() == first
    change(job_folder, seed=4)
    assert result() != first


def test_a_cancel_file_is_seen_within_a_step(job_folder: Path) -> None:
    change(job_folder, parameters={"steps": 1000, "step_s": 0.02})
    asked: list[float] = []

    def ask(event: dict[str, Any]) -> None:
        if event["event"] == "preview":
            request_cancel(job_folder)
            asked.append(time.monotonic())

    assert run_job(job_folder, listener=ask) == 3
    assert time.monotonic() - asked[0] < 1.0
    assert last(job_folder)["event"] == "cancelled"
    assert names(job_folder) == STAYS_ON_FAILURE
    change(job_folder, parameters={"steps": 1})
    assert run_job(job_folder) == 0, "a second run works"


def test_a_run_whose_folder_is_removed_ends_soon_and_says_so(job_folder: Path) -> None:
    change(job_folder, parameters={"steps": 1000, "step_s": 0.02})
    told: list[dict[str, Any]] = []

    def remove(event: dict[str, Any]) -> None:
        told.append(event)
        if event["event"] == "preview":
            shutil.rmtree(job_folder, ignore_errors=True)

    assert run_job(job_folder, listener=remove) == 1
    assert told[-1]["kind"] == "resource"
    assert f"The job folder {job_folder} was removed" in told[-1]["message"]
    assert not job_folder.exists()


def test_a_cancel_file_of_an_earlier_run_is_not_meant_for_this_one(job_folder: Path) -> None:
    request_cancel(job_folder)
    os.utime(job_folder / "cancel", (1.0, 1.0))
    assert run_job(job_folder) == 0


def test_sigterm_ends_a_long_step_and_says_cancelled(job_folder: Path) -> None:
    change(job_folder, parameters={"steps": 1, "step_s": 60.0})
    before = signal.getsignal(signal.SIGTERM)

    def ask(event: dict[str, Any]) -> None:
        if event["event"] == "preview":
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()

    started = time.monotonic()
    assert run_job(job_folder, listener=ask) == 3
    assert time.monotonic() - started < 20.0
    assert last(job_folder)["event"] == "cancelled"
    assert names(job_folder) == STAYS_ON_FAILURE
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_listener_that_went_away_stops_the_run(job_folder: Path) -> None:
    change(job_folder, parameters={"steps": 1000, "step_s": 0.02})

    class Closed(text_io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    assert run_job(job_folder, echo_events=Closed()) == 3
    assert last(job_folder)["event"] == "cancelled"


@pytest.mark.parametrize(
    ("failure", "code", "kind", "words"),
    [
        ("input", 2, "input", "too few"),
        ("memory", 1, "resource", "preset fast"),
        ("allocator", 1, "resource", "preset fast"),
        ("gpu", 1, "resource", "--device cpu"),
        ("disk", 1, "resource", "disk is full"),
        ("bug", 1, "internal", "log.txt"),
    ],
)
def test_failures_have_their_kind_and_clean_up(
    job_folder: Path, failure: str, code: int, kind: str, words: str
) -> None:
    assert run_job(job_folder) == 0
    change(job_folder, parameters={"failure": failure})
    assert run_job(job_folder) == code
    event = last(job_folder)
    assert (event["event"], event["kind"]) == ("error", kind)
    assert words in event["message"]
    assert "Traceback" not in (job_folder / "events.jsonl").read_text(encoding="utf-8")
    assert "Traceback" in (job_folder / "log.txt").read_text(encoding="utf-8")
    assert names(job_folder) == STAYS_ON_FAILURE, "the old result is gone too"


def test_a_repeat_on_changed_input_is_refused(job_folder: Path, series_file: Path) -> None:
    assert run_job(job_folder) == 0
    io.write(series_file, ImageSeries(np.ones((4, 1, 6, 8), np.float32), np.eye(4), np.arange(4.0)))
    assert run_job(job_folder) == 2
    assert "has changed since" in last(job_folder)["message"]


def test_two_workers_do_not_share_a_folder(job_folder: Path) -> None:
    assert not is_running(job_folder)
    heard: list[dict[str, Any]] = []
    with FolderLock(job_folder):
        (job_folder / "events.jsonl").write_text("theirs", encoding="utf-8")
        assert is_running(job_folder)
        assert run_job(job_folder, listener=heard.append) == 2
        assert (job_folder / "events.jsonl").read_text(encoding="utf-8") == "theirs"
    assert "run by another process" in heard[-1]["message"]
    assert run_job(job_folder) == 0


def test_a_lock_file_left_by_a_killed_worker_does_not_lock(job_folder: Path) -> None:
    (job_folder / "lock").touch()
    assert not is_running(job_folder)
    (job_folder / "lock").touch()
    assert run_job(job_folder) == 0


def test_a_folder_that_is_none_is_an_input_error(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    assert run_job(tmp_path / "none", listener=heard.append) == 2
    assert heard[-1]["kind"] == "input"


def test_links_in_a_job_folder_lead_nowhere(job_folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    for name in ("events.jsonl", "log.txt", "preview.npy", "provenance.json", "result.seq.nrrd"):
        (job_folder / name).symlink_to(precious)
    assert run_job(job_folder) == 0
    assert precious.read_text(encoding="utf-8") == "mine"


def test_metrics_when_there_is_a_reference(job_folder: Path, series_file: Path) -> None:
    change(job_folder, reference=series_file)
    assert run_job(job_folder) == 0
    metrics = last(job_folder)["metrics"]
    recorded = json.loads((job_folder / "provenance.json").read_text(encoding="utf-8"))["metrics"]
    assert metrics["nrmse"] == pytest.approx(recorded["nrmse"]["mean"])
    assert 0.1 < metrics["nrmse"] < 10.0


def test_a_reference_that_does_not_fit_is_a_warning(job_folder: Path, tmp_path: Path) -> None:
    other = ImageSeries(np.ones((2, 1, 3, 3), np.float32), np.eye(4), [0.0, 1.0])
    change(job_folder, reference=io.write(tmp_path / "other.seq.nrrd", other))
    assert run_job(job_folder) == 0
    assert last(job_folder)["metrics"] is None
    warnings = [e["message"] for e in read_events(job_folder / "events.jsonl") if e["event"] == "warning"]
    assert any("could not be compared" in message for message in warnings)


def test_too_little_memory_is_told_before_it_starts(job_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limits, "free_bytes", lambda device: 2**30)
    monkeypatch.setattr(memory_limits, "total_bytes", lambda device: 8 * 2**30)
    change(job_folder, parameters={"memory_bytes": 5.0 * 2**30})
    assert run_job(job_folder) == 0
    warnings = [e["message"] for e in read_events(job_folder / "events.jsonl") if e["event"] == "warning"]
    assert "about 5.0 GiB" in warnings[0]
    assert "1.0 GiB" in warnings[0]


def test_time_left_is_told_once_it_is_known(job_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "PROGRESS_EVERY_S", 0.0)
    change(job_folder, parameters={"steps": 20, "step_s": 0.02})
    assert run_job(job_folder) == 0
    progress = [e for e in read_events(job_folder / "events.jsonl") if e["event"] == "progress"]
    left = {e["message"]: e["remaining_s"] for e in progress}
    assert left["Checking the input"] is None
    assert 0.0 < left["step 10"] < 2.0


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"method": "no-such"}, "There is no method 'no-such'"),
        ({"preset": "slowest"}, "no preset 'slowest'"),
        ({"parameters": {"steps": 0}}, "steps = 0"),
        ({"parameters": {"device": "cpu"}}, "no parameter 'device'"),
        ({"inputs": ["missing.h5"]}, "does not exist"),
        ({"output": "x.unknown"}, "x.unknown"),
        ({"output": "none/x.npz"}, "does not exist"),
        ({"device": "quantum"}, "Unknown device"),
    ],
)
def test_requests_that_cannot_work_are_input_errors(job_folder: Path, entries: dict[str, Any], words: str) -> None:
    change(job_folder, **entries)
    assert run_job(job_folder) == 2
    assert words in last(job_folder)["message"]
    assert names(job_folder) == STAYS_ON_FAILURE
