"""Numbered training and validation items: number n is the same whenever and wherever it is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.config import TrainingConfig
from DynamicMRIReconLib.training.series_files import find_files, series_clips
from DynamicMRIReconLib.training.streams import PhantomStream
from DynamicMRIReconLib.training.task import TrainingTask

Item = dict[str, Tensor]
_TRAINING, _VALIDATION = 0, 1


class Source(Protocol):
    """Where clips come from."""

    name: str
    weight: float

    def clip(self, number: int, frames: int, matrix: int, random: np.random.Generator) -> Clip:
        """A clip; all chance comes from ``number`` and ``random``."""
        ...


def sources(config: TrainingConfig, folders: list[Path], clip_frames: int) -> tuple[list[Any], list[Any]]:
    """Sources of training and of validation clips.

    Raises
    ------
    InputError
        If there are none, or a file does not fit.
    """
    streams = [one for one in config.data.phantoms if one.weight > 0]
    training: list[Any] = [PhantomStream(one, "training", config.seed) for one in streams]
    validation: list[Any] = [PhantomStream(one, "validation") for one in streams]
    if folders:
        from_files = series_clips(find_files(folders), config.data, clip_frames)
        training, validation = training + from_files[0], validation + from_files[1]
    elif config.data.series:
        raise InputError("The configuration has rules for series (data.series), but no folder was named: add --data.")
    if not training:
        raise InputError("There is nothing to train on: name folders with --data, or add [[data.phantoms]].")
    if not validation:
        raise InputError("There is nothing to validate on: give a rule in data.series a validation range.")
    return training, validation


class TrainingItems(Dataset[Item]):
    """Item ``n`` of the endless stream of training items."""

    def __init__(
        self, task: TrainingTask, options: Any, config: TrainingConfig, origins: list[Any], batch: int
    ) -> None:
        self._task, self._options, self._config = task, options, config
        self._sources = origins
        weights = np.array([source.weight for source in origins], float)
        self._chances = weights / weights.sum()
        self._frames = task.clip_frames(options)
        self._batch = batch

    def __getitem__(self, number: int) -> Item:
        random = np.random.default_rng([self._config.seed, _TRAINING, number])
        source = self._sources[int(random.choice(len(self._sources), p=self._chances))]
        # All items of a batch, over all processes, have one size.
        sizes = self._config.data.matrix
        size = sizes[(number // self._batch) % len(sizes)]
        clip = source.clip(number, self._frames, size, random)
        return self._task.sample(clip, random, self._options, augment=True)


def batches(items: TrainingItems, first: int, config: TrainingConfig, rank: int, size: int) -> Iterator[Item]:
    """Batches of this process from step ``first`` to the last one."""
    numbers = [
        [(step * size + rank) * config.batch_size + k for k in range(config.batch_size)]
        for step in range(first, config.steps)
    ]
    workers = config.data.workers
    # A generator of its own: the loader would draw from the one whose state a checkpoint keeps.
    loader = DataLoader(items, batch_sampler=numbers, num_workers=workers, generator=torch.Generator())
    yield from loader


def validation_batches(
    task: TrainingTask, options: Any, config: TrainingConfig, origins: list[Any], rank: int, size: int
) -> list[tuple[str, Item]]:
    """This process's share of the validation items, in batches of one source and one size: name and batch.

    Every source gives ``validation_clips / number of sources`` items, at least one, the same in every training.
    """
    count = max(1, config.data.validation_clips // len(origins))
    found: list[tuple[str, Item]] = []
    for source in origins:
        for place, matrix in enumerate(config.data.matrix):
            numbers = range(place, count, len(config.data.matrix))
            made = []
            for number in list(numbers)[rank::size]:
                random = np.random.default_rng([_VALIDATION, number])
                clip = source.clip(number, task.clip_frames(options), matrix, random)
                made.append(task.sample(clip, random, options, augment=False))
            for first in range(0, len(made), config.batch_size):
                group = made[first : first + config.batch_size]
                found.append((source.name, {key: torch.stack([one[key] for one in group]) for key in group[0]}))
    return found
