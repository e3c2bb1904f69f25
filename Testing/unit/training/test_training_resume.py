"""A training that is killed, interrupted or out of time goes on as if nothing had happened."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from toy_training import rows, start

Train = Callable[..., tuple[int, str]]


def same_tensors(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def figures(folder: Path) -> list[dict[str, str]]:
    return rows(folder / "validation.csv")


def losses(folder: Path) -> list[tuple[str, str]]:
    return [(row["step"], row["loss"]) for row in rows(folder / "training.csv")]


def wait_for(path: Path, process: Any, limit_s: float = 120.0) -> None:
    end = time.monotonic() + limit_s
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)


def test_a_killed_training_resumes_to_the_same_result(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    assert train("--config", config(), "--data", data, "--out", tmp_path / "whole")[0] == 0
    # The pause is an option of the toy alone; it lets the kill come in the middle of the second epoch.
    paused = config("paused.json", options={"pause_s": 0.2})
    process = start("--config", paused, "--data", data, "--out", tmp_path / "killed")
    wait_for(tmp_path / "killed" / "last.safetensors", process)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(losses(tmp_path / "killed")) < 12
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    code, err = train("--config", paused, "--data", data, "--out", tmp_path / "killed", "--resume")
    assert code == 0, err
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert same_tensors(tmp_path / "killed" / "model.safetensors", tmp_path / "whole" / "model.safetensors")


def test_ctrl_c_leaves_a_checkpoint_and_resumes_to_the_same_result(
    tmp_path: Path, data: Path, config: Any, train: Train
) -> None:
    assert train("--config", config(), "--data", data, "--out", tmp_path / "whole")[0] == 0
    paused = config("paused.json", options={"pause_s": 0.2})
    process = start("--config", paused, "--data", data, "--out", tmp_path / "stopped")
    wait_for(tmp_path / "stopped" / "training.csv", process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert err.count("\n") == 1
    assert "--resume" in err
    assert train("--config", paused, "--data", data, "--out", tmp_path / "stopped", "--resume")[0] == 0
    assert figures(tmp_path / "stopped") == figures(tmp_path / "whole")
    assert same_tensors(tmp_path / "stopped" / "model.safetensors", tmp_path / "whole" / "model.safetensors")


def test_a_time_limit_ends_in_order_and_a_longer_one_goes_on(
    tmp_path: Path, data: Path, config: Any, train: Train
) -> None:
    out = tmp_path / "out"
    assert train("--config", config(max_minutes=1e-6), "--data", data, "--out", out)[0] == 0
    assert [row["step"] for row in figures(out)] == ["1"]
    assert (out / "model.safetensors").exists()
    assert train("--config", config(max_minutes=10), "--data", data, "--out", out, "--resume")[0] == 0
    assert [step for step, _ in losses(out)] == [str(n) for n in range(1, 13)]


def test_another_configuration_does_not_resume(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    out = tmp_path / "out"
    assert train("--config", config(max_minutes=1e-6), "--data", data, "--out", out)[0] == 0
    code, err = train("--config", config(batch_size=2, seed=4), "--data", data, "--out", out, "--resume")
    assert code == 2
    assert "another batch_size and seed" in err


def test_no_training_is_overwritten_and_none_resumed_from_nothing(
    tmp_path: Path, data: Path, config: Any, train: Train
) -> None:
    out = tmp_path / "out"
    code, err = train("--config", config(), "--data", data, "--out", out, "--resume")
    assert code == 2
    assert "nothing to resume" in err
    assert not out.exists()
    assert train("--config", config(max_minutes=1e-6), "--data", data, "--out", out)[0] == 0
    before = (out / "last.safetensors").read_bytes()
    code, err = train("--config", config(), "--data", data, "--out", out)
    assert code == 2
    assert "--resume" in err
    assert (out / "last.safetensors").read_bytes() == before


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, data: Path, config: Any, train: Train) -> None:
    out = tmp_path / "out"
    assert train("--config", config(max_minutes=1e-6), "--data", data, "--out", out)[0] == 0
    whole = (out / "last.safetensors").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", (out / "best.safetensors").read_bytes()):
        (out / "last.safetensors").write_bytes(damaged)
        code, err = train("--config", config(), "--data", data, "--out", out, "--resume")
        assert code == 2
        assert "checkpoint" in err
        assert err.count("\n") == 1
