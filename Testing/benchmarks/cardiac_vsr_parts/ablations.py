"""The paper's Table 2 by training: parts of the network added one after the other, all else equal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardiac_vsr_parts.cases import HELD_OUT, short_axis
from training_parts.trained import trained

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.cardiac.region import heart_box
from DynamicMRIReconLib.evaluation.cardiac import cardiac_figures

SCALE = 4
CONFIG = Path(__file__).resolve().parents[3] / "Resources" / "Training" / "cardiac-vsr-ablations.toml"
#: what is kept in the folder of the trainings, beside a folder for each row and seed
RESULTS = "ablations.json"


@dataclass(frozen=True)
class Step:
    """A row of the paper's table: what is added, CardiacPSNR (dB) and SSIM there, and the options that are off here."""

    name: str
    paper: tuple[float, float]
    options: dict[str, Any] = field(default_factory=dict)


_ONE_STAGE = {"stages": 1}
_NO_FUSION = {**_ONE_STAGE, "phase_fusion": False}
_ONWARDS = {**_NO_FUSION, "bidirectional": False}
_NO_WARMUP = {**_ONWARDS, "context": 0}
STEPS = (
    Step("no memory", (29.7580, 0.8458), {**_NO_WARMUP, "memory": False}),
    Step("+ memory", (30.0733, 0.8562), _NO_WARMUP),
    Step("+ updated memory", (30.1790, 0.8596), _ONWARDS),
    Step("+ both directions", (30.2380, 0.8623), _NO_FUSION),
    Step("+ phase fusion", (30.2754, 0.8635), _ONE_STAGE),
    Step("+ residual of residual", (30.4060, 0.8668)),
)


def run(folder: Path, data: Path, seeds: list[int], changed: dict[str, str]) -> None:
    """Train and measure what ``folder`` lacks, seed after seed; taken up again where it was stopped.

    ``changed`` are settings of the configuration that are to be others for all rows. ``folder`` remembers them: rows
    of different settings are not to be compared.
    """
    kept = read(folder) or {"changed": changed, "figures": []}
    if kept["changed"] != changed:
        raise SystemExit(f"{folder} holds trainings with the settings {kept['changed']}: name another folder.")
    done = {(row["seed"], row["step"]) for row in kept["figures"]}
    case = short_axis(data)
    coarse, box = case.coarse(SCALE), heart_box(case.fine)
    for seed in seeds:
        for number, step in enumerate(STEPS):
            if (seed, step.name) in done:
                continue
            model = _trained(folder / f"seed{seed}-row{number}", data, step, {**changed, "seed": str(seed)})
            # a memory that was never warmed up in training is not warmed up here either
            values = {"warmup": 0} if step.options.get("context") == 0 else {}
            values |= {"preset": "faithful", "scale": SCALE, "weights": str(model)}
            found = dmr.reconstruct(coarse, "cardiac-vsr", device="cpu", **values)
            figures = cardiac_figures(found.array, case.fine, box, bright=255.0)
            kept["figures"].append({"seed": seed, "step": step.name, **figures})
            print(kept["figures"][-1], flush=True)
            _keep(folder / RESULTS, kept)


def read(folder: Path) -> dict[str, Any] | None:
    """What ``run`` has measured so far; None if nothing."""
    path = folder / RESULTS
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return found


def _trained(output: Path, data: Path, step: Step, settings: dict[str, str]) -> Path:
    """The finished model of a row, by the ``train`` command."""
    folders = [one for one in sorted((data / "cine_sax_dicom").glob("SCD2001_*")) if one.name not in HELD_OUT]
    settings = settings | {f"options.{name}": json.dumps(value) for name, value in step.options.items()}
    return trained("cardiac-vsr", CONFIG, folders, output, (f"{name}={value}" for name, value in settings.items()))


def _keep(path: Path, kept: dict[str, Any]) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    beside.replace(path)
