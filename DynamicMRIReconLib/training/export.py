"""From the best checkpoint to a model that methods load: weights, and a card that says what they are."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from DynamicMRIReconLib.jobs.hashes import sha256_of
from DynamicMRIReconLib.models.card import Metric, ModelCard, Range, write_card
from DynamicMRIReconLib.models.files import read_network, write_network
from DynamicMRIReconLib.models.places import SUFFIX, card_of
from DynamicMRIReconLib.training.checkpoint import BEST
from DynamicMRIReconLib.training.config import TrainingConfig

if TYPE_CHECKING:
    from DynamicMRIReconLib.training.loop import Trainer

#: half precision is used if it changes the score of validation by no more than this
HALF_TOLERANCE = 0.02


def export(trainer: Trainer, output: Path, command: str) -> Path:
    """Write ``model.safetensors`` and its card ``model.json`` into ``output``; the path of the weights."""
    task, config = trainer.task, trainer.config
    options = task.network_options(trainer.options)
    path = output / f"model{SUFFIX}"
    best = read_network(output / BEST, task.name)
    write_network(path, best, task.name, options)
    figures = _figures(trainer, path)
    if config.card.half_precision:
        halved = output / f"model-half{SUFFIX}"
        write_network(halved, best, task.name, options, half=True)
        rounded = _figures(trainer, halved)
        if abs(rounded[task.score] - figures[task.score]) <= HALF_TOLERANCE:
            halved.replace(path)
            figures = rounded
        else:
            halved.unlink()
    write_card(card_of(path), _card(trainer, figures, sha256_of(path), command))
    return path


def _figures(trainer: Trainer, path: Path) -> dict[str, float]:
    trainer.network.load_state_dict(read_network(path, trainer.task.name).state_dict())
    return trainer.validate()


def _card(trainer: Trainer, figures: dict[str, float], sha256: str, command: str) -> ModelCard:
    said, config, progress = trainer.config.card, trainer.config, trainer.progress
    effort = (
        f"{progress.best_step} of {progress.step} updates with {config.batch_size * trainer.group.size} clips each, "
        f"{progress.seconds / 60:.0f} minutes on {trainer.group.device}, precision {config.precision}"
    )
    return ModelCard(
        title=said.title or f"{trainer.task.name}, trained {datetime.date.today().isoformat()}",
        network=trainer.task.name,
        sha256=sha256,
        trained_on=f"{said.trained_on or ', '.join(trainer.training_names)}. Training: {effort}.",
        intended_use=said.intended_use or "Research on data like those it was trained on.",
        ranges=_ranges(config),
        licence=said.licence or "unknown: that of the training data",
        attribution=said.attribution,
        metrics=[Metric(name=name, data="validation", value=value) for name, value in figures.items()],
        command=command,
        date=datetime.date.today().isoformat(),
        notes=said.notes,
    )


def _ranges(config: TrainingConfig) -> dict[str, Range]:
    data = config.data
    ranges = {
        "matrix": Range(low=min(data.matrix), high=max(data.matrix), unit="pixels", meaning="size of the images"),
    }
    times = [time for stream in data.phantoms for time in stream.frame_time_ms]
    times += [rule.frame_time_ms for rule in data.series if rule.frame_time_ms is not None]
    if times:
        ranges["frame_time_ms"] = Range(low=min(times), high=max(times), unit="ms", meaning="time between frames")
    return ranges | config.card.ranges
