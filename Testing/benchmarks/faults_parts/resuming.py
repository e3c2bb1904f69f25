"""Runs, trainings and batches that are ended in the middle and started again."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from faults_parts.cases import ITERATING, Ended
from faults_parts.workplace import WAIT_S, Worker, Workplace, faults_after

from DynamicMRIReconLib import io
from DynamicMRIReconLib.jobs.events import final_event, read_events
from DynamicMRIReconLib.jobs.saved_state import KEEP_EVERY_VARIABLE

#: of each of the 20 frames; seconds in all
_ITERATIONS = 60
_TRAINING = Path(__file__).resolve().parents[2] / "unit" / "training"


def _keeping() -> None:
    """Keep the state ten times a second, instead of once a minute."""
    os.environ[KEEP_EVERY_VARIABLE] = "0.1"


def _killed_and_repeated(damage: Callable[[Path], None] | None) -> Callable[[Workplace], Ended]:
    def case(place: Workplace) -> Ended:
        place.set_job(long=False, iterations=_ITERATIONS)
        whole = Worker(place)
        wrong = [] if whole.end() == 0 else ["the unbroken run failed"]
        expected = io.read(place.output).array
        place.output.unlink()
        shutil.rmtree(place.job)
        place.job.mkdir()
        place.set_job(long=False, iterations=_ITERATIONS)
        first = Worker(place, _keeping)
        first.wait_for(0.4)
        os.kill(first.pid, signal.SIGKILL)
        code = first.end()
        kept = list((place.job / "state").glob("*.npz"))
        if code != -signal.SIGKILL or not kept:
            wrong.append(f"the first run ended with {code} and kept {len(kept)} files")
        wrong += faults_after(place, first, kept=True)
        for path in kept if damage else []:
            damage(path)  # type: ignore[misc]
        again = Worker(place)
        if (found := again.end()) != 0:
            wrong.append(f"the next run ended with {found}: {again.stderr.strip()[:200]}")
        wrong += faults_after(place, again, done=True)
        if place.output.exists() and not np.array_equal(io.read(place.output).array, expected):
            wrong.append("other numbers than those of an unbroken run")
        kind = "warning" if damage else "resumed"
        told = [event["message"] for event in place.events() if event["event"] == kind]
        if not told:
            wrong.append(f"no {kind} was told")
        steps = json.loads((place.job / "provenance.json").read_text(encoding="utf-8"))["resumed"]
        if len(steps) != int(damage is None):
            wrong.append(f"the record says that it was resumed {len(steps)} times")
        message = f"the next run: {told[0] if told else ''} The numbers are those of an unbroken run."
        return Ended(code, message, wrong)

    return case


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _folder_lost(place: Workplace) -> Ended:
    place.set_job(long=True)
    worker = Worker(place)
    worker.wait_for(ITERATING)
    shutil.rmtree(place.job)
    code = worker.wait()
    told = final_event(worker.told()) or {}
    wrong = [] if told.get("kind") == "resource" else [f"it was told as {told}"]
    if place.job.exists():
        wrong.append("the job folder is there again")
    place.job.mkdir()
    wrong += faults_after(place, worker)
    message = str(told.get("message")).replace(str(place.base), "...")
    return Ended(code, f"{told.get('event')} {told.get('kind')}: {message}", wrong)


def _toy() -> None:
    """The tests' tiny network, known to this process."""
    sys.path.insert(0, str(_TRAINING))
    import toy_task

    from DynamicMRIReconLib.models import architectures
    from DynamicMRIReconLib.training import tasks

    architectures.ARCHITECTURES["toy"] = ("toy", "ToyNetwork")
    for name in ("networks", "training.tasks"):
        sys.modules[f"DynamicMRIReconLib.{name}.toy"] = toy_task
    known = tasks.names()
    tasks.names = lambda: (*known, "toy")


def _training_killed(place: Workplace) -> Ended:
    from safetensors.numpy import load_file

    sys.path.insert(0, str(_TRAINING))
    from toy_training import SMALL, moving_blob

    data = place.base / "data"
    data.mkdir()
    io.write(data / "blob.seq.nrrd", moving_blob())
    config = place.base / "config.json"
    config.write_text(json.dumps({**SMALL, "options": {"pause_s": 0.1}}), encoding="utf-8")

    def started(name: str, *words: str) -> Worker:
        options = ["--device", "cpu", "--config", config, "--data", data, "--out", place.base / name]
        return Worker(place, _toy, ["train", "toy", *options, *words])

    wrong = [] if started("whole").wait() == 0 else ["the unbroken training failed"]
    killed = started("killed")
    _until(lambda: (place.base / "killed" / "last.safetensors").exists() or killed.poll() is not None)
    os.kill(killed.pid, signal.SIGKILL)
    code = killed.wait()
    if (place.base / "killed" / "model.safetensors").exists():
        wrong.append("it was done before it was killed")
    again = started("killed", "--resume")
    if again.wait() != 0:
        wrong.append(f"the resumed training failed: {again.stderr.strip()[:200]}")
    else:
        one, other = (load_file(place.base / name / "model.safetensors") for name in ("whole", "killed"))
        if one.keys() != other.keys() or any(not np.array_equal(one[name], other[name]) for name in one):
            wrong.append("other weights than those of an unbroken training")
    wrong += _temporary(place)
    if killed.group_left() or again.group_left():
        wrong.append("a process is left")
    message = "`train --resume` goes on from the last checkpoint; weights and losses are those of an unbroken training."
    return Ended(code, message, wrong)


def _batch_killed(*where: str) -> Callable[[Workplace], Ended]:
    """A batch of four rows, of which a worker is killed; then the same batch again."""

    def case(place: Workplace) -> Ended:
        manifest = place.base / "cohort.csv"
        columns = ["input", "method", "parameters", "device", "output"]
        with manifest.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(columns)
            for number in range(4):
                settings = f"iterations={_ITERATIONS + number}; tolerance=0; frames_at_once=1"
                table.writerow([place.input, "cg-sense", settings, "cpu", place.out / f"out-{number}.npz"])
        first = Worker(place, _keeping, ["batch", manifest, "--events", *where])
        rows = place.base / "cohort-batch" / "rows"
        pid = _until(lambda: _running(rows) or first.poll() is not None)
        if isinstance(pid, bool):
            return Ended(first.returncode, wrong=[f"no row ran: {first.stderr.strip()[:300]}"])
        victim = pid if where == ("--local",) else _dask_worker(pid)
        os.kill(victim, signal.SIGKILL)
        code = first.wait()
        states = _states(place)
        wrong, local = [], where == ("--local",)
        if local and (code != 4 or sorted(states) != ["done", "done", "done", "failed"]):
            wrong.append(f"the batch ended with {code}, its rows are {states}")
        if not local and (code != 0 or states != ["done"] * 4):
            wrong.append(f"the batch ended with {code}, its rows are {states}")
        again = Worker(place, words=["batch", manifest, "--events", *where])
        expected = ["unchanged"] * (3 if local else 4)
        if again.wait() != 0 or sorted(_states(place)) != ["done"] * local + expected:
            wrong.append(f"the batch again: its rows are {_states(place)}; {again.stderr.strip()[:200]}")
        for number in range(4):
            with suppress(Exception):
                io.read(place.out / f"out-{number}.npz")
                continue
            wrong.append(f"no whole result of row {number + 1}")
        wrong += _temporary(place)
        if first.group_left() or again.group_left():
            wrong.append("a process is left")
        message = (
            "its row fails with the sentence of a killed worker, the others are done; repeated, that row alone runs"
            if local
            else "its row runs again on another worker; all are done, none twice; repeated, the batch does nothing"
        )
        return Ended(code, message, wrong)

    return case


def _temporary(place: Workplace) -> list[str]:
    # torch and dask keep one folder each for all programs of a user, empty here
    theirs = ("torchinductor_", "dask-scratch-space")
    ours = [path for path in place.temporary.iterdir() if not path.name.startswith(theirs)]
    left = [path.name for path in (*place.base.rglob(".tmp-*"), *ours)]
    return [f"temporary files are left: {', '.join(left)}"] if left else []


def _running(rows: Path) -> int:
    """The worker of a row that has kept its state; 0 while there is none."""
    for path in rows.glob("*/events.jsonl"):
        events = read_events(path)
        if events and final_event(events) is None and any((path.parent / "state").glob("*.npz")):
            return int(events[0]["pid"])
    return 0


def _dask_worker(row: int) -> int:
    import psutil

    parents = psutil.Process(row).parents()
    return next(one.pid for one in parents if "spawn_main" in " ".join(one.cmdline()))


def _states(place: Workplace) -> list[str]:
    with (place.base / "cohort-batch" / "summary.csv").open(newline="", encoding="utf-8") as file:
        return [row["state"] for row in csv.DictReader(file)]


def _until(found: Callable[[], Any]) -> Any:
    ends = time.monotonic() + WAIT_S
    while time.monotonic() < ends:
        if value := found():
            return value
        time.sleep(0.02)
    raise RuntimeError("it did not happen")


RESUMING: dict[str, Callable[[Workplace], Ended]] = {
    "SIGKILL while iterating, then run again": _killed_and_repeated(None),
    "SIGKILL, and what was kept is damaged": _killed_and_repeated(_cut),
    "job folder removed while iterating": _folder_lost,
    "training killed (SIGKILL), then resumed": _training_killed,
    "worker of a batch killed (`batch --local`)": _batch_killed("--local"),
    "worker of a batch killed (Dask)": _batch_killed("--workers", "2"),
}
