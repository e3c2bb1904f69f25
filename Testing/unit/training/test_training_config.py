"""Requests at fault: one clear line, exit code 2, nothing written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_training import SMALL

from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.training.config import TrainingConfig, read_config
from DynamicMRIReconLib.training.optimisers import learning_rate

ROOT = Path(__file__).resolve().parents[3]

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown setting": ({"stepps": 4}, "stepps: unknown setting"),
    "unknown in a section": ({"optimiser": {"rate": 1e-3}}, "optimiser.rate: unknown setting"),
    "no steps": ({"steps": 0}, "steps: "),
    "steps missing": ({"steps": None}, "steps: "),
    "negative rate": ({"optimiser": {"learning_rate": -1}}, "optimiser.learning_rate: "),
    "not a number": ({"optimiser": {"learning_rate": "fast"}}, "optimiser.learning_rate: "),
    "unknown optimiser": ({"optimiser": {"name": "lion"}}, "optimiser.name: "),
    "unknown schedule": ({"schedule": {"name": "sine"}}, "schedule.name: "),
    "warm-up without end": ({"schedule": {"warmup_steps": 12}}, "must be below steps"),
    "steps of nothing": ({"schedule": {"name": "step"}}, "drop_at_epochs"),
    "empty range": ({"data": {"series": [{"train": [[5, 5]]}]}}, "[5, 5] is no range"),
    "tiny matrix": ({"data": {"matrix": [4]}}, "data.matrix.0: "),
    "unknown phantom": ({"data": {"phantoms": [{"name": "knee"}]}}, "data.phantoms.0.name: "),
    "frame times reversed": ({"data": {"phantoms": [{"frame_time_ms": [40, 12]}]}}, "[smallest, largest]"),
    "options of another network": ({"options": {"depth": 3}}, "options: depth: unknown setting"),
    "precision": ({"precision": "float16"}, "needs a CUDA device"),
    "two faults": ({"steps": -1, "batch_size": 0}, "; "),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_configuration_is_one_line(
    tmp_path: Path, data: Path, config: Any, train: Callable[..., tuple[int, str]], fault: str
) -> None:
    changes, said = BROKEN[fault]
    code, err = train("--config", config(**changes), "--data", data, "--out", tmp_path / "out")
    assert code == 2
    assert err.count("\n") == 1
    assert "config.json" in err or "precision" in err
    assert said in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "steps = ", "not valid TOML"),
        ("a.json", "{", "not valid JSON"),
        ("a.yaml", "steps: 3", ".toml or .json"),
        ("a.json", "[1, 2]", "a.json: "),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_config(tmp_path / name)


def test_a_configuration_says_what_differs_from_its_base(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("steps = 9\nseed = 3\n[data]\nmatrix = [32]\nworkers = 1\n", encoding="utf-8")
    (tmp_path / "row.toml").write_text('base = "base.toml"\nsteps = 4\n[data]\nmatrix = [48]\n', encoding="utf-8")
    row = read_config(tmp_path / "row.toml")
    assert (row.steps, row.seed, row.data.matrix, row.data.workers) == (4, 3, (48,), 1)
    (tmp_path / "longer.toml").write_text('base = "row.toml"\nsteps = 90\n', encoding="utf-8")
    longer = read_config(tmp_path / "longer.toml")
    assert (longer.steps, longer.seed, longer.data.matrix, longer.data.workers) == (90, 3, (48,), 1)
    (tmp_path / "base.toml").write_text('base = "longer.toml"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"row\.toml -> base\.toml -> longer\.toml -> row\.toml"):
        read_config(tmp_path / "row.toml")
    (tmp_path / "row.toml").write_text('base = "none.toml"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"none\.toml cannot be read"):
        read_config(tmp_path / "row.toml")


@pytest.mark.parametrize("base", ['""', '"."', '"../x.toml"', '"a/b.toml"', "5", "[1]", "nan", "{}"])
def test_a_base_is_a_file_beside_the_configuration(tmp_path: Path, base: str) -> None:
    (tmp_path / "row.toml").write_text(f"base = {base}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"row\.toml: base = .* beside it|no training configuration"):
        read_config(tmp_path / "row.toml")


def test_missing_configuration_unknown_network_and_no_data(
    tmp_path: Path, config: Any, train: Callable[..., tuple[int, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot be read" in train("--config", tmp_path / "none.toml", "--out", tmp_path / "out")[1]
    assert "nothing to train on" in train("--config", config(), "--out", tmp_path / "out")[1]
    no_folder = train("--config", config(), "--data", tmp_path / "none", "--out", tmp_path / "out")
    assert no_folder[0] == 2
    assert "does not exist" in no_folder[1]
    assert main(["train", "unet", "--config", str(config()), "--out", str(tmp_path / "out")]) == 2
    assert re.search(r"choose one of .*ifnet, miccan", capsys.readouterr().err)
    bad = train("--config", config(), "--out", tmp_path / "out", "--set", "steps.more=3")
    assert bad[0] == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", sorted((ROOT / "Resources" / "Training").glob("*.toml")), ids=lambda path: path.stem)
def test_the_configurations_that_ship_are_valid(path: Path) -> None:
    from DynamicMRIReconLib.training import tasks
    from DynamicMRIReconLib.training.config import checked

    name = max((name for name in tasks.names() if path.stem.startswith(name)), key=len)
    checked(tasks.get(name).options, read_config(path).options, path.name)


def rates(**schedule: Any) -> list[float]:
    config = TrainingConfig.model_validate({**SMALL, "optimiser": {"learning_rate": 1.0}, "schedule": schedule})
    return [learning_rate(step, config) for step in range(config.steps)]


def test_learning_rates() -> None:
    cosine = rates(name="cosine", warmup_steps=2, final_factor=0.1)
    assert cosine[:3] == [0.5, 1.0, 1.0]
    assert cosine[-1] == pytest.approx(0.1)
    assert cosine[5] == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * 3 / 9)))
    assert rates(name="constant") == [1.0] * 12
    # epochs of 4 steps
    assert rates(name="step", drop_at_epochs=[1, 2], drop_factor=0.5) == [1.0] * 4 + [0.5] * 4 + [0.25] * 4
