"""Files of small untrained networks with model cards, so that no test depends on how good the shipped weights are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from DynamicMRIReconLib.jobs.hashes import sha256_of
from DynamicMRIReconLib.models.architectures import build
from DynamicMRIReconLib.models.card import ModelCard, Range, write_card
from DynamicMRIReconLib.models.files import write_network

MICCAN = {"blocks": 2, "features": 8}
CNN3D = {"features": 4, "iterations": 2}
IFNET = {"widths": [8, 8, 8], "context": 4}
CARDIAC_VSR = {"features": 4, "layers": 1, "stages": 2, "window": 1, "skip": True}
#: ranges of the cards; the cases of the tests lie within
RANGES = {"acceleration": (1, 50), "matrix": (8, 128), "frame_time_ms": (1, 500)}


def write_model(folder: Path, name: str, network: nn.Module, options: dict[str, Any], **card: Any) -> Path:
    """``name.safetensors`` and its card in ``folder``."""
    path = folder / f"{name}-{len(list(folder.glob('*.safetensors')))}.safetensors"
    write_network(path, network, name, options)
    said: dict[str, Any] = {
        "title": f"tiny {name}",
        "network": name,
        "sha256": sha256_of(path),
        "trained_on": "nothing",
        "intended_use": "tests",
        "ranges": {key: Range(low=low, high=high, meaning=key) for key, (low, high) in RANGES.items()},
        "licence": "Apache-2.0",
        "command": "none",
        "date": "2026-11-27",
    }
    write_card(path.with_suffix(".json"), ModelCard(**{**said, **card}))
    return path


def spoilt(path: Path) -> Path:
    """The file of weights with one bit changed."""
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    return path


def tiny_miccan(folder: Path, **card: Any) -> Path:
    """Random weights: what is not measured becomes anything, what is measured stays."""
    torch.manual_seed(0)
    return write_model(folder, "miccan", build("miccan", MICCAN), MICCAN, **card)


def idle_miccan(folder: Path) -> Path:
    """Corrections of zero: the result is the zero-filled image."""
    network = build("miccan", MICCAN)
    for block in network.blocks:
        nn.init.zeros_(block.head.weight)
    return write_model(folder, "miccan", network, MICCAN)


def tiny_cnn3d(folder: Path, *, idle: bool = False, **card: Any) -> Path:
    """Random weights; ``idle``: corrections of zero. ``CNN3D`` with ``options`` in its place."""
    options = {**CNN3D, **card.pop("options", {})}
    torch.manual_seed(0)
    network = build("cnn3d", options)
    for block in network.blocks:
        nn.init.normal_(block.head.weight, 0.0, 0.0 if idle else 0.1)
    return write_model(folder, "cnn3d", network, options, **card)


def tiny_ifnet(folder: Path, **card: Any) -> Path:
    """Random weights."""
    torch.manual_seed(0)
    return write_model(folder, "ifnet", build("ifnet", IFNET), IFNET, **card)


def shifting_ifnet(folder: Path, x: float, y: float) -> Path:
    """Everything moves by (x, y) voxels from the first to the second frame, as seen at the middle; equal shares.

    What is asked for at another time comes out as at the middle.
    """
    network = build("ifnet", IFNET)
    for block in network.blocks:
        nn.init.zeros_(block.leave.weight)
        nn.init.zeros_(block.leave.bias)
    # the last block enlarges its flow twofold
    with torch.no_grad():
        network.blocks[-1].leave.bias[:4] = torch.tensor([-x, -y, x, y]) / 4
    nn.init.zeros_(network.refine.head.weight)
    nn.init.zeros_(network.refine.head.bias)
    return write_model(folder, "ifnet", network, IFNET)


def tiny_cardiac_vsr(folder: Path, scale: int, *, idle: bool = False, **card: Any) -> Path:
    """Random weights; ``idle`` adds nothing to the bicubic interpolation."""
    torch.manual_seed(0)
    options = {**CARDIAC_VSR, "scale": scale}
    network = build("cardiac-vsr", options)
    if not idle:
        nn.init.normal_(network.upsample.head.weight, std=0.3)
    return write_model(folder, "cardiac-vsr", network, options, **card)
