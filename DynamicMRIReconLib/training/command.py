"""A training from the request to the finished model: what ``dynamic-mri-recon train`` does."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.device import resolve_device
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.training import tasks
from DynamicMRIReconLib.training.checkpoint import LAST
from DynamicMRIReconLib.training.config import TrainingConfig, checked, read_config

USED_CONFIG = "config.json"


def train(
    network: str,
    config_file: Path,
    folders: list[Path],
    output: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    replaced: dict[str, Any] | None = None,
) -> str:
    """Train ``network`` into the folder ``output``; why it ended: ``done``, ``time`` or ``stopped``.

    ``output`` gets ``last.safetensors`` (to resume from), ``best.safetensors``, the tables ``training.csv`` and
    ``validation.csv``, ``config.json``, and at the end ``model.safetensors`` with its card ``model.json``.

    Raises
    ------
    InputError
        If the request is at fault, or the loss became no number.
    """
    task = tasks.get(network)
    config = with_settings(read_config(config_file), replaced or {}, config_file.name)
    options = checked(task.options, config.options, f"{config_file.name}, options")
    resolved = resolve_device(device)
    if config.precision == "float16" and not resolved.startswith("cuda"):
        raise InputError(f"precision float16 needs a CUDA device, this is {resolved}: use float32 or bfloat16.")
    if output.exists() and not output.is_dir():
        raise InputError(f"--out {output} is a file: name a folder.")
    if (output / LAST).exists() and not resume:
        raise InputError(f"{output} holds a training already: add --resume to go on with it, or name a new folder.")
    from DynamicMRIReconLib.training.distributed import joined
    from DynamicMRIReconLib.training.export import export
    from DynamicMRIReconLib.training.interruption import stop_on_signal
    from DynamicMRIReconLib.training.loop import Trainer

    with joined(resolved) as group, stop_on_signal() as stop:
        trainer = Trainer(task, options, config, folders, output, group, stop)
        if resume:
            trainer.resume()
        if group.is_main:
            output.mkdir(parents=True, exist_ok=True)
            (output / USED_CONFIG).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        reason = trainer.run()
        if reason != "stopped":
            export(trainer, output, _command(network, config_file, folders, replaced or {}))
    return reason


def with_settings(config: TrainingConfig, replaced: dict[str, Any], source: str) -> TrainingConfig:
    """``config`` with settings such as ``optimiser.learning_rate`` replaced, checked again."""
    values = json.loads(config.model_dump_json(exclude_unset=True))
    for name, value in replaced.items():
        *path, last = name.split(".")
        section = values
        for part in path:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                raise InputError(f"--set {name}: {part} is no section of the configuration.")
        section[last] = value
    return checked(TrainingConfig, values, source)


def _command(network: str, config_file: Path, folders: list[Path], replaced: dict[str, Any]) -> str:
    words = ["dynamic-mri-recon", "train", network, "--config", config_file.name]
    words += ["--data", *(folder.name for folder in folders)] if folders else []
    words += [word for name, value in replaced.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    return shlex.join([*words, "--out", network])
