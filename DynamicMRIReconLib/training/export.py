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
    """Write ``model.safetensors`` and its card ``model.json`` into ``output``; the path of the weights.

    All processes of a group call it, since all validate; one writes.
    """
    task, group = trainer.task, trainer.group
    options = task.network_options(trainer.options)
    path = output / f"model{SUFFIX}"
    group.wait()
    best = read_network(output / BEST, task.name)

    def figures_of(file: Path, *, half: bool) -> dict[str, float]:
        if group.is_main:
            write_network(file, best, task.name, options, half=half)
        group.wait()
        trainer.network.load_state_dict(read_network(file, task.name).state_dict())
        return trainer.validate()

    figures = figures_of(path, half=False)
    if trainer.config.card.half_precision:
        halved = output / f"model-half{SUFFIX}"
        rounded = figures_of(halved, half=True)
        is_as_good = abs(rounded[task.score] - figures[task.score]) <= HALF_TOLERANCE
        figures = rounded if is_as_good else figures
        group.wait()
        if group.is_main and is_as_good:
            halved.replace(path)
        elif group.is_main:
            halved.unlink()
    if group.is_main:
        write_card(card_of(path), _card(trainer, figures, sha256_of(path), command))
    return path


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
        ranges=_ranges(config, trainer.task.clip_frames(trainer.options)),
        licence=said.licence or "unknown: that of the training data",
        attribution=said.attribution,
        metrics=[Metric(name=name, data="validation", value=value) for name, value in figures.items()],
        command=said.command.strip() or command,
        date=datetime.date.today().isoformat(),
        notes=said.notes,
    )


def _ranges(config: TrainingConfig, clip_frames: int) -> dict[str, Range]:
    data = config.data
    ranges = {
        "matrix": Range(low=min(data.matrix), high=max(data.matrix), unit="pixels", meaning="size of the images"),
    }
    times = [time for stream in data.phantoms for time in stream.frame_time_ms]
    times += [rule.frame_time_ms for rule in data.series if rule.frame_time_ms is not None]
    # A network of single frames knows no time.
    if times and clip_frames > 1:
        ranges["frame_time_ms"] = Range(low=min(times), high=max(times), unit="ms", meaning="time between frames")
    return ranges | config.card.ranges
