"""A worker is killed in the middle of a reconstruction; the next run goes on and gives the very same numbers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kspace_cases import cartesian_case, radial_case
from stack_cases import volume

from DynamicMRIReconLib import io
from DynamicMRIReconLib.acquisition.thick_slices import thick_slices
from DynamicMRIReconLib.jobs.events import read_events
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.jobs.worker import run_job

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")

HASH_GRID = {"representation": "hash-grid", "epochs": 8, "hidden_width": 8, "table_size": 256, "warm_start": "smooth"}
#: name: method, preset, parameters, input, how often and where it has kept its state when it is killed
CASES: dict[str, tuple[str, str, dict[str, Any], str, int, str]] = {
    "admm": ("space-time", "standard", {"iterations": 6, "tolerance": 0.0}, "radial", 1, "iteration 3 of 6"),
    "second slice": ("tv", "fast", {"tolerance": 0.0}, "slices", 1, "slice 2 of 2, iteration 2 of 6"),
    "low rank": ("locally-low-rank", "fast", {"block": 4, "tolerance": 0.0}, "lines", 1, "iteration 2 of 6"),
    "two parts": ("low-rank-sparse", "fast", {"tolerance": 0.0}, "lines", 1, "iteration 3 of 6"),
    "soft thresholding": ("low-rank-sparse", "faithful", {"iterations": 8}, "lines", 1, "iteration 4 of 8"),
    "nonlinear cg": ("grasp", "faithful", {"iterations": 4}, "radial", 1, "run 2 of 3, iteration 2 of 4"),
    "blocks": ("cg-sense", "fast", {"frames_at_once": 2}, "lines", 1, "frames 3-4, iteration 4 of 6"),
    "motion": ("st-inr", "fast", {"iterations": 3}, "radial", 5, "iteration 1 of 3"),
    "warm start": ("st-inr", "fast", {"iterations": 3}, "radial", 1, "warm start, iteration 4 of 12"),
    "hash grid": ("st-inr", "standard", HASH_GRID, "radial", 1, "epoch 3 of 8"),
    "volume": ("srr", "standard", {"penalty": "tv", "iterations": 4}, "stacks", 1, "round 2 of 4, iteration 3 of 4"),
    "slices move": ("srr", "fast", {"slice_cycles": 1, "iterations": 3}, "stacks", 2, "alignment of stack 1"),
    "epochs": ("irem", "fast", {"epochs": 2, "batch": 200, "regularization": 0.01}, "stacks", 3, "epoch 1 of 2"),
}

#: of other solvers on the same way through the job folder
MORE = ("low rank", "two parts", "soft thresholding", "nonlinear cg", "warm start", "slices move")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("inputs")
    small = [thick_slices(volume((12, 14, 16), 4.0), axis, 2) for axis in (0, 1)]
    return {
        "radial": [io.write(folder / "radial.npz", radial_case(6, (1, 20, 24), 3, 5)[0])],
        "lines": [io.write(folder / "lines.npz", cartesian_case(5, (1, 20, 24), 3)[0])],
        "slices": [io.write(folder / "slices.npz", cartesian_case(3, (2, 16, 18), 3)[0])],
        "stacks": [io.write(folder / f"stack-{n}.nii.gz", stack) for n, stack in enumerate(small)],
    }


def job(base: Path, inputs: dict[str, list[Path]], name: str, **others: Any) -> Path:
    method, preset, parameters, data, *_ = CASES[name]
    entries = {"preset": preset, "parameters": parameters, "inputs": inputs[data], "device": "cpu", **others}
    folder = base / name.replace(" ", "-")
    base.mkdir(exist_ok=True)
    Job(method=method, output=folder / "out.npz", **entries).save(folder)
    return folder


def killed(folder: Path, name: str) -> Path:
    """``folder`` of a job whose worker was killed."""
    script = Path(__file__).with_name("killed_workers.py")
    words = [str(folder), CASES[name][5], str(CASES[name][4])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, str(script), *words], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return folder


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As the workers that were killed: sums in another order differ in their last digits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in MORE else []) for n in CASES])
def test_goes_on_where_it_was_killed_with_the_same_numbers(
    name: str, inputs: dict[str, list[Path]], tmp_path: Path
) -> None:
    whole, broken = (job(tmp_path / which, inputs, name) for which in ("whole", "broken"))
    killed(broken, name)
    assert (broken / "state").is_dir()
    assert run_job(whole) == 0
    assert run_job(broken) == 0
    told = [event["message"] for event in read_events(broken / "events.jsonl") if event["event"] == "resumed"]
    assert len(told) == 1
    place = record(broken)["resumed"][0]["from"]
    assert told[0].startswith(f"Going on from {place}, kept at ")
    assert CASES[name][5] in place
    assert record(whole)["resumed"] == []
    expected, found = io.read(whole / "out.npz"), io.read(broken / "out.npz")
    np.testing.assert_array_equal(found.array, expected.array)
    for part in expected.parts:
        np.testing.assert_array_equal(found.parts[part], expected.parts[part])
    assert record(broken)["figures"] == record(whole)["figures"]
    header = found.metadata["provenance"]
    assert {**header, "command": ""} == {**expected.metadata["provenance"], "command": ""}
    assert not (broken / "state").exists()
    assert not (whole / "state").exists()
