"""The loop: it learns, it stops when the loss is no number, and several processes do what one does."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from toy_training import rows, start

from DynamicMRIReconLib import models

Train = Callable[..., tuple[int, str]]


def test_it_learns_and_leaves_a_model_that_loads(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    out = tmp_path / "out"
    code, err = train("--config", config(steps=60, steps_per_epoch=20), "--data", data, "--out", out)
    assert code == 0, err
    scores = [float(row["psnr"]) for row in rows(out / "validation.csv")]
    # noise of 0.1 alone is 20 dB
    assert scores[-1] > 21.0
    loaded = models.load(out / "model.safetensors", network="toy")
    assert loaded.card.metrics[0].value == pytest.approx(max(scores), abs=1e-4)
    assert "--config config.json" in loaded.card.command
    assert loaded.card.ranges["matrix"].high == 16
    assert not loaded.network.training


def test_half_precision_is_used_where_it_does_not_matter(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    out = tmp_path / "out"
    assert train("--config", config(card={"half_precision": True}), "--data", data, "--out", out)[0] == 0
    kept = load_file(out / "model.safetensors")
    assert {tensor.dtype for tensor in kept.values() if tensor.is_floating_point()} == {torch.float16}
    assert not (out / "model-half.safetensors").exists()
    loaded = models.load(out / "model.safetensors").network
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, data: Path, config: Any, train: Train
) -> None:
    out = tmp_path / "out"
    code, err = train("--config", config(options={"nan_in_epoch": 1}), "--data", data, "--out", out)
    assert code == 2
    assert err.splitlines()[-1].startswith("dynamic-mri-recon: The loss is no longer a number at step 5")
    assert str(out / "last.safetensors") in err
    kept = load_file(out / "last.safetensors")
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept.values() if tensor.is_floating_point())
    assert int(kept["optimiser.0.step"]) == 4
    assert not (out / "model.safetensors").exists()


def test_two_processes_do_what_one_does_with_twice_the_batch(
    tmp_path: Path, data: Path, config: Any, train: Train
) -> None:
    # Without batch normalisation, whose statistics are each process's own, the mathematics are the same.
    options = {"norm": False}
    single, double = config("single.json", options=options), config("double.json", options=options, batch_size=2)
    assert train("--config", single, "--data", data, "--out", tmp_path / "one")[0] == 0
    process = start("--config", double, "--data", data, "--out", tmp_path / "two", processes=2)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-3, atol=1e-5)
    for table in ("training.csv", "validation.csv"):
        ours, theirs = rows(tmp_path / "one" / table), rows(tmp_path / "two" / table)
        assert [row["step"] for row in ours] == [row["step"] for row in theirs]
        column = "loss" if table == "training.csv" else "psnr"
        assert [float(row[column]) for row in theirs] == pytest.approx([float(row[column]) for row in ours], rel=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_precisions(tmp_path: Path, data: Path, config: Any, train: Train, precision: str) -> None:
    out = tmp_path / "out"
    code, err = train("--config", config(precision=precision, steps=4), "--data", data, "--out", out)
    assert code == 0, err
    assert math.isfinite(float(rows(out / "training.csv")[-1]["loss"]))
    assert {tensor.dtype for tensor in load_file(out / "best.safetensors").values()} >= {torch.float32}


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "muon", "sgd"])
def test_optimisers_lower_the_loss(tmp_path: Path, data: Path, config: Any, train: Train, optimiser: str) -> None:
    out = tmp_path / "out"
    settings = {"name": optimiser, "learning_rate": 0.02}
    assert train("--config", config(optimiser=settings, steps=40), "--data", data, "--out", out)[0] == 0
    losses = [float(row["loss"]) for row in rows(out / "training.csv")]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_workers_change_nothing(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    small = {"matrix": [16], "validation_clips": 2}
    tables = []
    for workers in (0, 1):
        out = tmp_path / f"out{workers}"
        path = config(f"{workers}.json", steps=3, data={**small, "workers": workers})
        assert train("--config", path, "--data", data, "--out", out)[0] == 0
        tables.append([row["loss"] for row in rows(out / "training.csv")])
    assert tables[0] == tables[1]


def test_a_network_that_exists_is_the_start(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    assert train("--config", config(steps=40), "--data", data, "--out", tmp_path / "first")[0] == 0
    last = float(rows(tmp_path / "first" / "validation.csv")[-1]["psnr"])
    start_from = str(tmp_path / "first" / "model.safetensors")
    slow = {"learning_rate": 1e-9}
    path = config("second.json", steps=1, schedule={}, initial_weights=start_from, optimiser=slow)
    assert train("--config", path, "--data", data, "--out", tmp_path / "second")[0] == 0
    assert float(rows(tmp_path / "second" / "validation.csv")[-1]["psnr"]) == pytest.approx(last, abs=0.5)
    path = config("third.json", initial_weights=start_from, options={"width": 5})
    code, err = train("--config", path, "--data", data, "--out", tmp_path / "third")
    assert code == 2
    assert "another network" in err


def test_settings_from_the_command_line(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    out = tmp_path / "out"
    words = ("--config", config(), "--data", data, "--out", out, "--set", "steps=3", "--set", "optimiser.name=sgd")
    assert train(*words)[0] == 0
    used = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert (used["steps"], used["optimiser"]["name"]) == (3, "sgd")
    assert len(rows(out / "training.csv")) == 3
