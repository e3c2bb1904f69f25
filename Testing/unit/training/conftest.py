"""A tiny training: the toy network, a small series, and a way to run it in this process or in others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_task

from DynamicMRIReconLib import io
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.models import architectures
from DynamicMRIReconLib.training import tasks

ROOT = Path(__file__).resolve().parents[3]
#: 12 updates in 3 epochs on 16 x 16 pixels
SMALL: dict[str, Any] = {
    "seed": 3,
    "steps": 12,
    "steps_per_epoch": 4,
    "batch_size": 4,
    "data": {"matrix": [16], "validation_clips": 6},
    "optimiser": {"learning_rate": 0.01},
    "schedule": {"name": "cosine", "warmup_steps": 2},
}


def moving_blob(frames: int = 24, size: int = 20) -> ImageSeries:
    """A bright blob on its way across a dim square."""
    y, x = np.mgrid[:size, :size]
    array = [np.exp(-((x - 4 - 0.5 * t) ** 2 + (y - 9) ** 2) / 9) + 0.1 for t in range(frames)]
    return ImageSeries(np.array(array, np.float32)[:, None], np.eye(4), 0.02 * np.arange(frames))


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy network is known during a test."""
    monkeypatch.setitem(architectures.ARCHITECTURES, "toy", ("toy", "ToyNetwork"))
    for name in ("networks", "training.tasks"):
        monkeypatch.setitem(sys.modules, f"DynamicMRIReconLib.{name}.toy", toy_task)
    known = tasks.names()
    monkeypatch.setattr(tasks, "names", lambda: (*known, "toy"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with one series, and a file that is none."""
    folder = tmp_path / "data"
    folder.mkdir()
    io.write(folder / "blob.seq.nrrd", moving_blob())
    (folder / "README.txt").write_text("about the data\n", encoding="utf-8")
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``SMALL`` with changes and gives its file."""

    def write(name: str = "config.json", **changes: Any) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({**SMALL, **changes}), encoding="utf-8")
        return path

    return write


@pytest.fixture
def train(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """``train toy`` in this process: exit code and standard error."""

    def run(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["train", "toy", "--device", "cpu", *(str(word) for word in words)])
        return code, capsys.readouterr().err

    return run


def start(*words: object, processes: int = 1) -> subprocess.Popen[str]:
    """``train toy`` in a process of its own, or in several that ``torchrun`` starts."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    command = [sys.executable, *launcher, toy_task.__file__, "train", "toy", "--device", "cpu", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table that a training wrote."""
    import csv

    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
