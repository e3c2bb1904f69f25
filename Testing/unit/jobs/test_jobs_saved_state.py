"""What a run keeps of its state, and what becomes of states that are damaged, foreign, or cannot be written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import Cancelled
from DynamicMRIReconLib.jobs import files, saved_state
from DynamicMRIReconLib.jobs.events import EventWriter, read_events
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.reporting import Reporter
from DynamicMRIReconLib.jobs.saved_state import SavedState, identity_of
from DynamicMRIReconLib.jobs.stop import StopRequest
from DynamicMRIReconLib.jobs.worker import run_job
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context, Estimate, Method, Parameters, parameter

ERRORS = {"memory": MemoryError(), "bug": KeyError("wanted"), "cancel": Cancelled("Cancelled.")}


class Counting(Method):
    """Adds 1 to its input in each of eight steps; two parts are done before."""

    key = "counting"
    title = description = citation = "Counting"
    input_kind = "series"
    #: what happens in step 5; of the class, since a parameter would be another job
    trouble = ""
    steps_done = 0

    class Parameters(Parameters):
        """What is added."""

        added: float = parameter(1.0, "Added in each step.")

    def estimate(self, data: Any, parameters: Any, device: str) -> Estimate:
        return Estimate(1.0, 1.0)

    def run(self, data: ImageSeries, parameters: Any, context: Context) -> ImageSeries:
        import torch

        def one_part(inner: Context) -> np.ndarray:
            Counting.steps_done += 10
            context.warn("A part is odd.")
            inner.add_figures(misfit=0.1)
            return np.zeros(3)

        for index in range(2):
            context.part(index, 2).once(f"part {index + 1} of 2", one_part)
        loop, value, first = context.loop("count", "step {} of 8"), torch.as_tensor(data.array), 0
        if (kept := loop.found()) is not None:
            value, first = kept["value"], int(kept["iteration"])
        for step in range(first, 8):
            loop.keep(step, lambda: {"value": value})  # noqa: B023
            context.step(step / 8, f"step {step} of 8")
            if step == 5 and Counting.trouble:
                raise ERRORS[Counting.trouble]
            value = value + parameters.added
            Counting.steps_done += 1
        return ImageSeries(value.numpy(), data.affine, data.times_s)


@pytest.fixture
def folder(tmp_path: Path, series_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A job of the counting method that keeps its state at every chance."""
    registry.all_methods()
    registry.register(Counting)
    monkeypatch.setenv(saved_state.KEEP_EVERY_VARIABLE, "0")
    monkeypatch.setattr(Counting, "steps_done", 0)
    monkeypatch.setattr(Counting, "trouble", "")
    where = tmp_path / "counted"
    Job(method="counting", inputs=[series_file], device="cpu").save(where)
    yield where
    registry._registered.pop("counting")


def broken_off(folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: str = "memory") -> None:
    """Run the job until it ends in step 5."""
    monkeypatch.setattr(Counting, "trouble", trouble)
    assert run_job(folder) == (3 if trouble == "cancel" else 1)
    monkeypatch.setattr(Counting, "trouble", "")
    Counting.steps_done = 0


def told(folder: Path, kind: str) -> list[str]:
    return [event["message"] for event in read_events(folder / files.EVENTS) if event["event"] == kind]


def added(folder: Path, series_file: Path) -> float:
    return float((io.read(folder / files.RESULT).array - io.read(series_file).array).mean())


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / files.PROVENANCE).read_text(encoding="utf-8"))
    return found


def test_a_run_that_failed_goes_on_and_says_so(
    folder: Path, series_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off(folder, monkeypatch)
    assert {path.name for path in folder.iterdir()} == {"job.json", "events.jsonl", "log.txt", "state"}
    assert run_job(folder) == 0
    assert Counting.steps_done == 3, "five steps and both parts were done before"
    assert added(folder, series_file) == pytest.approx(8.0)
    (message,) = told(folder, "resumed")
    assert message.startswith("Going on from step 5 of 8, kept at ")
    made = record(folder)
    assert [entry["from"] for entry in made["resumed"]] == ["step 5 of 8"]
    assert made["figures"]["misfit"] == pytest.approx(0.2)
    assert made["warnings"] == ["A part is odd."], "what the first run warned of holds for the result"
    assert not (folder / "state").exists()


def test_broken_off_twice_both_are_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(folder, monkeypatch)
    broken_off(folder, monkeypatch)
    assert run_job(folder) == 0
    assert [entry["from"] for entry in record(folder)["resumed"]] == ["step 5 of 8", "step 5 of 8"]


def test_cancelling_keeps_the_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(folder, monkeypatch, "cancel")
    assert run_job(folder) == 0
    assert Counting.steps_done == 3


def test_a_failure_of_the_program_takes_the_state_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(folder, monkeypatch, "bug")
    assert not (folder / "state").exists()


@pytest.mark.parametrize("change", ["parameter", "input", "seed"])
def test_another_job_starts_anew(folder: Path, series_file: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    broken_off(folder, monkeypatch)
    parameters: dict[str, Any] = {"added": 2.0} if change == "parameter" else {}
    if change == "input":
        series = io.read(series_file)
        io.write(series_file, ImageSeries(series.array + 1, series.affine, series.times_s))
    Job(method="counting", inputs=[series_file], device="cpu", parameters=parameters, seed=int(change == "seed")).save(
        folder
    )
    assert run_job(folder) == 0
    assert Counting.steps_done == 28, "both parts and all steps"
    assert added(folder, series_file) == pytest.approx(16.0 if change == "parameter" else 8.0)
    assert told(folder, "resumed") == []
    assert any("starting anew" in message for message in told(folder, "warning"))
    assert record(folder)["resumed"] == []
    assert record(folder)["warnings"] == ["A part is odd."], "it says nothing about the result"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 16
    path.write_bytes(data)


def _text(path: Path) -> None:
    path.write_text("no state", encoding="utf-8")


def _pickled(path: Path) -> None:
    np.savez(path, notes=np.array([{"format": 1}], object))


def _no_notes(path: Path) -> None:
    np.savez(path, array=np.zeros(3))


def _strange_notes(path: Path) -> None:
    np.savez(path, notes=np.frombuffer(b'{"format": [], "resumed": 3}', np.uint8))


@pytest.mark.parametrize("damage", [_cut, _flip, _text, _pickled, _no_notes, _strange_notes])
def test_a_damaged_state_is_told_and_ignored(
    folder: Path, series_file: Path, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    broken_off(folder, monkeypatch)
    for path in (folder / "state").iterdir():
        damage(path)
    assert run_job(folder) == 0
    assert Counting.steps_done == 28
    assert added(folder, series_file) == pytest.approx(8.0)
    assert any("is damaged: starting anew" in message for message in told(folder, "warning"))


def test_a_full_disk_costs_the_state_and_not_the_run(
    folder: Path, series_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    broken_off(folder, monkeypatch)
    monkeypatch.setattr(np, "savez", full)
    broken_off(folder, monkeypatch)
    assert not (folder / "state").exists(), "the result needs the room"
    assert run_job(folder) == 0
    assert added(folder, series_file) == pytest.approx(8.0)
    assert [message for message in told(folder, "warning") if "cannot be kept" in message] == [
        "The state of the run cannot be kept (No space left on device): ended now, it would lose what is done."
    ]
    assert not list(folder.glob(".tmp-*"))


def test_a_power_failure_leaves_nothing_for_ever(folder: Path) -> None:
    half, foreign = folder / ".tmp-4242-state.npz", folder / ".tmp-4243-else"
    for path in (half, foreign):
        path.write_bytes(b"half")
    (folder / files.EVENTS).write_text('{"event": "started", "pid": 4242}\n{"event": "pro', encoding="utf-8")
    assert run_job(folder) == 0
    assert not half.exists()
    assert foreign.exists()


def test_short_runs_leave_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(saved_state.KEEP_EVERY_VARIABLE)
    broken_off(folder, monkeypatch)
    assert not (folder / "state").exists()


def test_it_is_written_once_a_minute_and_rarer_where_writing_takes_long(tmp_path: Path) -> None:
    now = [0.0]
    write_s = 0.0

    def clock() -> float:
        return now[0]

    def arrays() -> dict[str, Any]:
        now[0] += write_s
        written.append(now[0])
        return {"x": np.zeros(3)}

    written: list[float] = []
    with EventWriter(None) as writer, StopRequest(tmp_path) as stop:
        state = SavedState(tmp_path, identity_of("f", "cpu"), Reporter(tmp_path, writer, stop), clock)
        for _ in range(130):
            now[0] += 1.0
            state.keep("loop", "iteration 1", arrays)
        assert written == [60.0, 120.0]
        write_s = 6.0
        for _ in range(300):
            now[0] += 1.0
            state.keep("loop", "iteration 1", arrays)
        assert written[2:] == [186.0, 312.0, 438.0], "at most a twentieth of the time goes into it"


def test_what_is_below_a_finished_part_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(saved_state.KEEP_EVERY_VARIABLE, "0")
    with EventWriter(None) as writer, StopRequest(tmp_path) as stop:
        state = SavedState(tmp_path, identity_of("f", "cpu"), Reporter(tmp_path, writer, stop))
        state.keep("slice 1 of 2/loop", "iteration 3", lambda: {"x": np.zeros(3)})
        state.finish("slice 1 of 2/frames 1-2", {"array": np.ones(2)})
        assert len(list((tmp_path / "state").iterdir())) == 2
        state.finish("slice 1 of 2", {"array": np.ones(4)})
        assert len(list((tmp_path / "state").iterdir())) == 1
        again = SavedState(tmp_path, identity_of("f", "cpu"), Reporter(tmp_path, writer, stop))
        found = again.found("slice 1 of 2")
        assert found is not None
        np.testing.assert_array_equal(found["array"], np.ones(4))
        assert again.found("slice 1 of 2/loop") is None
        other = SavedState(tmp_path, identity_of("f", "cuda"), Reporter(tmp_path, writer, stop))
        assert other.found("slice 1 of 2") is None, "another device may give other numbers"
