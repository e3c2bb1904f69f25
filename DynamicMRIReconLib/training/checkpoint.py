"""The state of a training in one file: tensors and JSON, nothing that could be run on loading.

``last.safetensors`` holds the network, the optimiser, the random number generators and the progress; with it a
training goes on as if it had never stopped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.json_text import parsed_json

FORMAT = "dynamic-mri-recon training 1"
LAST, BEST = "last.safetensors", "best.safetensors"


@dataclass
class Progress:
    """How far a training has come.

    Attributes
    ----------
    step
        Updates made.
    seconds
        Time spent on them, over all resumptions.
    best_score, best_step
        Of the best validation; None and 0 before the first.
    """

    step: int = 0
    seconds: float = 0.0
    best_score: float | None = None
    best_step: int = 0
    figures: dict[str, float] = field(default_factory=dict)


def save(
    path: Path,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    progress: Progress,
    config: dict[str, Any],
) -> None:
    """Write everything that a resumption needs; the file appears whole or not at all."""
    from safetensors.torch import save_file

    from DynamicMRIReconLib.io.atomic import atomic_files

    state = optimiser.state_dict()
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    numbers: dict[str, dict[str, Any]] = {}
    for index, entries in state["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{name}"] = value
            else:
                numbers.setdefault(str(index), {})[name] = value
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    notes = {
        "progress": vars(progress),
        "groups": state["param_groups"],
        "numbers": numbers,
        "scaler": scaler.state_dict(),
        "config": config,
    }
    kept = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    with atomic_files([path], [".safetensors"]) as (temporary,):
        save_file(kept, temporary, metadata={"format": FORMAT, "notes": json.dumps(notes)})


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the notes of ``save``.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged or something else.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{path} does not exist: there is nothing to resume; leave --resume out to start anew.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
        if metadata.get("format") != FORMAT:
            raise InputError(f"{path} is no checkpoint of a training.")
        notes: dict[str, Any] = parsed_json(metadata["notes"])
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The checkpoint {path} is damaged: delete it and start anew.") from error
    return tensors, notes


def restore(
    tensors: dict[str, Tensor],
    notes: dict[str, Any],
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
) -> Progress:
    """Put a loaded state into the objects of a training that was set up alike.

    Raises
    ------
    InputError
        If the checkpoint is of another network or optimiser.
    """
    try:
        network.load_state_dict(_below("network.", tensors))
        entries: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in notes["numbers"].items()}
        for name, tensor in _below("optimiser.", tensors).items():
            index, _, entry = name.partition(".")
            entries.setdefault(int(index), {})[entry] = tensor
        optimiser.load_state_dict({"state": entries, "param_groups": notes["groups"]})
        scaler.load_state_dict(notes["scaler"])
        progress = Progress(**notes["progress"])
        torch.set_rng_state(tensors["random.cpu"])
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "The checkpoint does not fit this network and optimiser: start anew without --resume."
        ) from error
    if torch.cuda.is_available() and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"])
    return progress


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
