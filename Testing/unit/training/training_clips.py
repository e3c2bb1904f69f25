"""Clips to train on: a few frames of a small object that moves, drawn without the phantoms."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from DynamicMRIReconLib.training.clips import Clip


def moving_disk(frames: int, shape: tuple[int, int] = (32, 32), speed: float = 1.0, seed: int = 0) -> Clip:
    """A bright disk that moves along x by ``speed`` voxels a frame over a dimmer one; irregular frame times."""
    y, x = np.indices(shape)
    ny, nx = shape
    images = np.empty((frames, ny, nx))
    for t in range(frames):
        images[t] = 0.4 * (np.hypot(x - nx / 2, y - ny / 2) < 0.45 * min(shape))
        images[t] += 0.6 * (np.hypot(x - 0.4 * nx - speed * t, y - 0.45 * ny) < 0.15 * min(shape))
    times = np.cumsum(np.random.default_rng(seed).uniform(0.01, 0.03, frames))
    return Clip.of(images, times, f"disk {seed}")


def losses_of(
    task: Any, network: nn.Module, batch: dict[str, Tensor], given: Any, optimiser: torch.optim.Optimizer, epochs: int
) -> tuple[list[float], dict[str, Tensor]]:
    """The loss of each of so many updates on one batch, and all terms of the last."""
    losses: list[float] = []
    terms: dict[str, Tensor] = {}
    for epoch in range(epochs):
        terms = task.loss(network, batch, given, epoch)
        optimiser.zero_grad()
        terms["loss"].backward()
        optimiser.step()
        losses.append(float(terms["loss"].detach()))
    return losses, terms
