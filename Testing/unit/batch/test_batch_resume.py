"""What is done is not done again; what is not, is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from batch_cases import manifest, scan, table, with_ledger

import DynamicMRIReconLib
from DynamicMRIReconLib.batch import follow, record, task
from DynamicMRIReconLib.batch.manifest import read_manifest
from DynamicMRIReconLib.batch.rows import Row, checked_rows
from DynamicMRIReconLib.cli import build_parser, main
from DynamicMRIReconLib.cli_recon_job import job_of
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.fingerprint import fingerprint
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.lock import FolderLock
from DynamicMRIReconLib.jobs.worker import run_job
from DynamicMRIReconLib.methods import registry


def row_of(tmp_path: Path, **cells: object) -> Row:
    """The only row of a manifest in ``tmp_path``."""
    cells = {"input": "scan.npz", "method": "gridding", "output": "out.npz", "device": "cpu", **cells}
    path = manifest(tmp_path / "cohort.csv", [cells])
    make = lambda words: job_of(build_parser().parse_args(["recon", *words]))  # noqa: E731
    rows, complaints = checked_rows(read_manifest(path), tmp_path, tmp_path / "place", make)
    assert complaints == []
    return rows[0]


@pytest.fixture
def done(tmp_path: Path) -> Row:
    """A row that has been run."""
    scan(tmp_path / "scan.npz", 0)
    row = row_of(tmp_path)
    follow.prepare(row)
    assert run_job(row.folder, overwrite=True) == 0
    return row


def test_the_same_request_is_done_already(done: Row, tmp_path: Path) -> None:
    made = record.done_before(done.folder, done.job)
    assert made is not None
    values = registry.get("gridding").parameters()
    assert made["fingerprint"] == fingerprint(Job.load(done.folder), values)
    # said otherwise, and the file called something else: the same
    (tmp_path / "scan.npz").rename(tmp_path / "renamed.npz")
    assert record.done_before(done.folder, row_of(tmp_path, input="renamed.npz", seed=0, preset="standard").job)


@pytest.mark.parametrize(
    "cells",
    [
        {"seed": 1},
        {"preset": "fast"},
        {"frames": "0:2"},
        {"method": "cg-sense"},
        {"data_consistency": "yes"},
        {"device": "auto"},
        {"reference": "scan.npz"},
    ],
)
def test_another_request_is_not(done: Row, tmp_path: Path, cells: dict[str, object]) -> None:
    assert record.done_before(done.folder, row_of(tmp_path, **cells).job) is None


def test_other_data_another_version_and_a_touched_result_are_not(
    done: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again() -> Any:
        return record.done_before(done.folder, done.job)

    assert again()
    with monkeypatch.context() as patch:
        patch.setattr(DynamicMRIReconLib, "__version__", "99.0")
        assert again() is None
    content = done.output.read_bytes()
    done.output.write_bytes(content[:-1])
    assert again() is None
    done.output.unlink()
    assert again() is None
    done.output.write_bytes(content)
    assert again()
    scan(tmp_path / "scan.npz", 1)
    assert again() is None
    (done.folder / files.PROVENANCE).write_text('{"output": 3}', encoding="utf-8")
    assert again() is None


def test_a_parameter_that_names_a_file_stands_for_its_content(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    job = Job(method="miccan", inputs=[{"path": "a", "sha256": "0" * 64}])
    values = registry.get("miccan").parameters(weights=str(weights))
    found = set()
    for content in (b"one", b"two"):
        weights.write_bytes(content)
        found.add(fingerprint(job, values))
    assert len(found) == 2
    other = weights.rename(tmp_path / "other.safetensors")
    assert fingerprint(job, registry.get("miccan").parameters(weights=str(other))) in found


def test_a_file_in_the_way_is_ours_only_if_the_row_made_it(done: Row, tmp_path: Path) -> None:
    record.check_replaced(done.folder, done.job)
    # killed between the result and its record: what lies there is from this row
    (done.folder / files.PROVENANCE).unlink()
    record.check_replaced(done.folder, done.job)
    os.utime(done.output, (0, 0))
    with pytest.raises(DynamicMRIReconLib.errors.InputError, match="is not from this batch"):
        record.check_replaced(done.folder, done.job)


def test_a_row_that_another_process_runs_is_waited_for_and_not_run_twice(
    done: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = FolderLock(done.folder)
    held.__enter__()
    looks = []

    def sleep(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            held.__exit__(None, None, None)

    monkeypatch.setattr(task.time, "sleep", sleep)
    monkeypatch.setattr(task, "_run_once", lambda *_: pytest.fail("it ran a second time"))
    stop = tmp_path / "stop"
    outcome = task.run_row(str(done.folder), str(stop), DynamicMRIReconLib.__version__)
    assert outcome["state"] == "done"
    assert len(looks) == 3
    stop.touch()
    assert task.run_row(str(done.folder), str(stop), DynamicMRIReconLib.__version__)["state"] == "cancelled"


def test_workers_that_differ_or_see_nothing_say_so(done: Row, tmp_path: Path) -> None:
    outcome = task.run_row(str(done.folder), "stop", "99.0")
    assert outcome["state"] == "failed"
    assert "not 99.0" in outcome["message"]
    outcome = task.run_row(str(tmp_path / "elsewhere"), "stop", DynamicMRIReconLib.__version__)
    assert "must have the same path there as here" in outcome["message"]


def test_without_dask_rows_run_in_turn_and_only_what_failed_runs_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, ledger = with_ledger(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    scan(tmp_path / "scan.npz", 0)
    row = {"input": "scan.npz", "method": "gridding", "device": "cpu", "output": "a.npz"}
    # the method does not fit the data, which only reading them shows
    rows = [row, {**row, "method": "ifnet", "output": "b.npz"}]
    path = manifest(tmp_path / "cohort.csv", rows)
    assert main(["batch", str(path), "--local"]) == 4
    shown = capsys.readouterr()
    assert "Warning: line 3: " in shown.out
    assert "2 rows: 1 done, 1 failed." in shown.out
    place = tmp_path / "cohort-batch"
    summary = table(place / "summary.csv")
    assert [(one["row"], one["line"], one["state"]) for one in summary] == [("1", "2", "done"), ("2", "3", "failed")]
    assert "needs an image series" in summary[1]["message"]
    assert (place / summary[1]["log"]).is_file()
    assert not (tmp_path / "b.npz").exists()
    assert {p.name for p in (place / summary[0]["log"]).parent.iterdir()} == {
        *("job.json", "events.jsonl", "log.txt", "provenance.json")
    }

    # lines may move, and the failed one is put right
    manifest(path, [{**rows[1], "method": "gridding"}, row])
    assert main(["batch", str(path), "--local", "--events"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["row"], one["state"]) for one in events if one["event"] == "row"] == [(1, "done")]
    assert events[-1]["message"] == "2 rows: 1 done, 1 unchanged."
    placed = [Path(line).name for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert (placed.count("a.npz"), placed.count("b.npz")) == (1, 1)
