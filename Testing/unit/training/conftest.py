"""A tiny training: the toy network, a small series, and a way to run it in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import toy_task
from toy_training import SMALL, moving_blob

from DynamicMRIReconLib import io
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.models import architectures
from DynamicMRIReconLib.training import tasks


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

    def write(name: str = "config.json", **changes: object) -> Path:
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
