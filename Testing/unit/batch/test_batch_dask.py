"""Batches on Dask: workers that are lost, cancelling, schedulers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from batch_cases import manifest, scan, table, with_ledger

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.batch import cluster, engines
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.events import final_event, read_events
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.worker import run_job
from Testing.dask_processes import certificates, running_cluster

PROGRAM = [sys.executable, "-m", "DynamicMRIReconLib", "batch"]
ROWS = 20
#: of the first row; each further one does one more
ITERATIONS = 10
LIMIT_S = 600


@contextmanager
def started(words: list[object], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A batch in a process group of its own, as in a terminal; ended with all its children."""
    process = subprocess.Popen(
        [*PROGRAM, *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(psutil.Error):
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
        process.communicate()


def until(found: Callable[[], Any]) -> Any:
    """What ``found`` gives, once it gives something."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def running_row(place: Path) -> psutil.Process | None:
    """The process of a row that is in the middle of its work."""
    for path in place.glob("rows/*/events.jsonl"):
        events = read_events(path)
        if events and final_event(events) is None and events[-1].get("fraction", 0) > 0.05:
            with suppress(psutil.Error):
                return psutil.Process(events[0]["pid"])
    return None


def dask_worker_of(row: psutil.Process) -> psutil.Process | None:
    with suppress(psutil.Error):
        return next((one for one in row.parents() if "spawn_main" in " ".join(one.cmdline())), None)
    return None


def cohort(folder: Path, frames: int, size: int, first: int = ITERATIONS) -> Path:
    scans = [scan(folder / f"scan-{seed}.npz", seed, frames, size) for seed in range(4)]
    rows = [
        {
            "input": scans[number % 4].name,
            "method": "grasp",
            "parameters": f"iterations={first + number}; tolerance=0",
            "device": "cpu",
            "output": f"result-{number}.npz",
        }
        for number in range(ROWS)
    ]
    return manifest(folder / "cohort.csv", rows)


def test_a_lost_worker_costs_nothing_but_time(tmp_path: Path) -> None:
    table_file = cohort(tmp_path, 6, 64)
    place = tmp_path / "cohort-batch"
    environment, ledger = with_ledger(tmp_path)
    with started([table_file, "--workers", 3, "--events"], environment) as process:
        assert process.stdout is not None
        events = []
        for line in process.stdout:
            events.append(json.loads(line))
            if sum(event["event"] == "row" for event in events) == ROWS // 4:
                break
        victim = until(lambda: (row := running_row(place)) and dask_worker_of(row))
        listening = [one for p in [victim, psutil.Process(process.pid)] for one in p.net_connections("inet")]
        victim.kill()
        out, err = process.communicate(timeout=LIMIT_S)
    events += [json.loads(line) for line in out.splitlines()]
    assert (process.returncode, err) == (0, "")
    assert {one.laddr.ip for one in listening} == {"127.0.0.1"}, "no listener beyond this computer"
    assert sorted(event["row"] for event in events if event["event"] == "row") == list(range(1, ROWS + 1))
    assert {row["state"] for row in table(place / "summary.csv")} == {"done"}
    ends = Counter(line for line in ledger.read_text().splitlines() if line.endswith(files.PROVENANCE))
    assert (len(ends), set(ends.values())) == (ROWS, {1}), "each row came to its end once"
    for number in range(ROWS):
        data = dmr.read(tmp_path / f"scan-{number % 4}.npz")
        expected = dmr.reconstruct(data, "grasp", iterations=ITERATIONS + number, tolerance=0, device="cpu")
        np.testing.assert_array_equal(dmr.read(tmp_path / f"result-{number}.npz").array, expected.array)
    assert not list(tmp_path.rglob(".tmp-*"))

    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != ledger}
    done = subprocess.run(
        [*PROGRAM, str(table_file), "--workers", "3", "--events"], env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != ledger}
    summary = place / "summary.csv"
    assert {row["state"] for row in table(summary)} == {"unchanged"}
    assert {**after, summary: b""} == {**before, summary: b""}, "repeated, it does nothing"
    assert b'"row"' not in done.stdout

    folder = tmp_path / "alone"
    again = tmp_path / "alone.npz"
    job = Job(method="grasp", preset="standard", inputs=[tmp_path / "scan-3.npz"], device="cpu", output=again)
    job.parameters = {"iterations": ITERATIONS + 3, "tolerance": 0.0}
    job.save(folder)
    run_job(folder)
    assert again.read_bytes() == (tmp_path / "result-3.npz").read_bytes(), "bit for bit what recon makes"


def test_ctrl_c_ends_all_of_it_in_order(tmp_path: Path) -> None:
    table_file = cohort(tmp_path, 40, 192, 400)
    place = tmp_path / "cohort-batch"
    environment, _ = with_ledger(tmp_path)
    with started([table_file, "--workers", 1], environment) as process:
        until(lambda: running_row(place))
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (3, "")
    assert Counter(row["state"] for row in table(place / "summary.csv")) == {"cancelled": ROWS}
    assert not psutil.wait_procs(family, timeout=10)[1], "no process is left"
    assert not list(tmp_path.glob("result-*"))
    assert not list(tmp_path.rglob(".tmp-*"))
    assert not (place / "stop").exists()


def test_a_scheduler_with_tls_takes_batches_and_jobs(tmp_path: Path) -> None:
    place = tmp_path / "cluster"
    place.mkdir()
    tls = certificates(place)
    options = [word for name, path in tls.items() for word in (f"--tls-{name}", str(path))]
    environment, _ = with_ledger(tmp_path)
    scan(tmp_path / "scan.npz", 0)
    row = {"input": "scan.npz", "method": "gridding", "device": "cpu", "output": "row.npz"}
    path = manifest(tmp_path / "cohort.csv", [row])
    folder, alone = tmp_path / "job", tmp_path / "alone"
    for where in (folder, alone):
        Job(method="gridding", inputs=[tmp_path / "scan.npz"], device="cpu", output=where.with_suffix(".npz")).save(
            where
        )
    with running_cluster(place, tls) as address:
        assert address.startswith("tls://127.0.0.1:")
        words = [[*PROGRAM, str(path)], [*PROGRAM[:-1], "recon", "--job", str(folder), "--events"]]
        batch, job = (
            subprocess.run(
                [*one, "--scheduler", address, *options], env=environment, capture_output=True, text=True, check=False
            )
            for one in words
        )
    assert (batch.returncode, batch.stderr) == (0, "")
    assert "1 row: 1 done." in batch.stdout
    assert (job.returncode, job.stderr) == (0, "")
    events = [json.loads(line) for line in job.stdout.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["started", "done"]
    assert run_job(alone) == 0
    assert (tmp_path / "row.npz").read_bytes() == (tmp_path / "alone.npz").read_bytes()
    assert (tmp_path / "job.npz").read_bytes() == (tmp_path / "alone.npz").read_bytes()
    assert {p.name for p in folder.iterdir()} == {p.name for p in alone.iterdir()}


def test_a_scheduler_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    scan(tmp_path / "scan.npz", 0)
    Job(method="gridding", inputs=[tmp_path / "scan.npz"]).save(tmp_path / "job")
    cases = {
        ("127.0.0.1:1",): "is no scheduler's address: write tcp://host:8786",
        ("tcp://127.0.0.1:1",): "No Dask scheduler answers at tcp://127.0.0.1:1",
        ("tls://127.0.0.1:1", "--tls-key", "nothing.pem"): "--tls-key nothing.pem does not exist",
        ("tcp://127.0.0.1:1", "--tls-cert", __file__): "goes with an address that begins with tls://",
    }
    for words, sentence in cases.items():
        assert main(["recon", "--job", str(tmp_path / "job"), "--events", "--scheduler", *words]) == 2
        shown = capsys.readouterr()
        (event,) = [json.loads(line) for line in shown.out.splitlines()]
        assert (event["event"], event["kind"]) == ("error", "input")
        assert sentence in event["message"]
        assert sentence in shown.err
    assert main(["recon", "scan.npz", "--scheduler", "tcp://127.0.0.1:1", "--method", "gridding"]) == 2
    assert "--scheduler goes with --job" in capsys.readouterr().err


def test_gpu_jobs_go_to_workers_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def resources(method: str, device: str, has_gpus: bool, grows: bool) -> dict[str, int] | None:
        job = Job(method=method, inputs=["a"], device=device)
        return engines.resources_of(job, has_gpus=has_gpus, grows=grows)

    gpu = {"GPU": 1}
    assert resources("gridding", "cuda", True, False) == gpu
    assert resources("gridding", "cuda", False, True) == gpu, "it waits for a worker that may come"
    assert resources("gridding", "cuda", False, False) is None, "the job says itself that there is none"
    assert resources("gridding", "auto", True, True) is None
    assert resources("miccan", "auto", True, True) == gpu
    assert resources("miccan", "auto", False, True) is None
    assert resources("miccan", "cpu", True, True) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    assert cluster.gpus() == 2
    assert cluster._gpu_of(1) == {"env": {"CUDA_VISIBLE_DEVICES": "7"}, "resources": gpu}
    assert cluster._gpu_of(2) == {"env": {"CUDA_VISIBLE_DEVICES": ""}}
