"""Optimisers, and the learning rate as a plain function of the step: a resumed training needs no state of it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from DynamicMRIReconLib.training.config import Optimiser, TrainingConfig
from DynamicMRIReconLib.training.muon import Muon


def make_optimiser(parameters: Iterable[nn.Parameter], settings: Optimiser) -> torch.optim.Optimizer:
    """The optimiser of ``settings`` for ``parameters``."""
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.name == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=settings.momentum, weight_decay=decay)
    if settings.name == "muon":
        return Muon(parameters, lr=rate, momentum=settings.momentum, betas=settings.betas, weight_decay=decay)
    kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
    return kind(parameters, lr=rate, betas=settings.betas, eps=1e-8, weight_decay=decay)


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The learning rate of the update number ``step`` (0 is the first).

    Linear warm-up from ``1 / warmup_steps`` of the full rate; then constant, a half cosine down to ``final_factor``
    at the last step, or a factor ``drop_factor`` at the beginning of each of ``drop_at_epochs``.
    """
    schedule, full = config.schedule, config.optimiser.learning_rate
    if step < schedule.warmup_steps:
        return full * (step + 1) / schedule.warmup_steps
    if schedule.name == "cosine":
        part = (step - schedule.warmup_steps) / max(1, config.steps - 1 - schedule.warmup_steps)
        return full * (
            schedule.final_factor + (1 - schedule.final_factor) * 0.5 * (1 + math.cos(math.pi * min(1, part)))
        )
    if schedule.name == "step":
        epoch = step // config.steps_per_epoch
        return full * schedule.drop_factor ** sum(epoch >= drop for drop in schedule.drop_at_epochs)
    return full
