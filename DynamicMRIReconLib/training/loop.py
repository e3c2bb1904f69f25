"""The training loop of every network."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.training import checkpoint
from DynamicMRIReconLib.training.checkpoint import BEST, LAST, Progress
from DynamicMRIReconLib.training.config import TrainingConfig
from DynamicMRIReconLib.training.distributed import Group
from DynamicMRIReconLib.training.initial import start_from
from DynamicMRIReconLib.training.items import Item, TrainingItems, batches, sources, validation_batches
from DynamicMRIReconLib.training.logs import Logs, NoLogs
from DynamicMRIReconLib.training.optimisers import learning_rate, make_optimiser
from DynamicMRIReconLib.training.task import TrainingTask

_DTYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
#: settings that may differ when a training is resumed
_MAY_CHANGE = ("max_minutes", "card")


class Trainer:
    """One training, from nothing or from a checkpoint.

    Parameters
    ----------
    task, options
        The network's part, and its options.
    config, folders
        The configuration, and the folders of series.
    output
        Folder of checkpoints and logs; it exists.
    group
        This process's place among those that train together.
    stop
        Asked after every step; true ends the training in order.
    """

    def __init__(
        self,
        task: TrainingTask,
        options: Any,
        config: TrainingConfig,
        folders: list[Path],
        output: Path,
        group: Group,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.task, self.options, self.config, self.group = task, options, config, group
        self._output, self._stop = output, stop
        torch.manual_seed(config.seed)
        network = task.build(options)
        if config.initial_weights:
            start_from(network, Path(config.initial_weights))
        self.network = network.to(group.device)
        if config.channels_last:
            volumes = any(parameter.ndim == 5 for parameter in self.network.parameters())
            layout = torch.channels_last_3d if volumes else torch.channels_last
            self.network = self.network.to(memory_format=layout)  # type: ignore[call-overload]
        self.optimiser = make_optimiser(self.network.parameters(), config.optimiser)
        kind = torch.device(group.device).type
        self.scaler = torch.amp.GradScaler(kind, enabled=config.precision == "float16")
        self.progress = Progress()
        training, validation = sources(config, folders, task.clip_frames(options))
        self._items = TrainingItems(task, options, config, training, config.batch_size * group.size)
        self._validation = validation_batches(task, options, config, validation, group.rank, group.size)
        self._names = sorted({source.name for source in validation})
        self.training_names = sorted({source.name for source in training})

    def resume(self) -> None:
        """Go on from the last checkpoint of the output folder.

        Raises
        ------
        InputError
            If there is none, it is damaged, or it was made with another configuration.
        """
        tensors, notes = checkpoint.load(self._output / LAST)
        here, there = self._description(), notes["config"]
        changed = sorted(name for name in here if name not in _MAY_CHANGE and here[name] != there.get(name))
        if changed:
            raise InputError(
                f"The checkpoint in {self._output} was made with another {' and '.join(changed)}: "
                "resume with the same configuration, or train into a new folder."
            )
        self.progress = checkpoint.restore(tensors, notes, self.network, self.optimiser, self.scaler)

    def run(self) -> str:
        """Train to the end; why it ended: ``done``, ``time`` (its limit) or ``stopped``.

        Raises
        ------
        InputError
            If the loss or its gradient is no longer a number; the last checkpoint stays as it was.
        """
        first = self.progress.step
        logs = Logs(self._output, self.config.steps, first) if self.group.is_main else NoLogs()
        with closing(logs):
            return self._steps(first, logs)

    def _steps(self, first: int, logs: Logs | NoLogs) -> str:
        wrapped, before = self.group.wrap(self.network), self.progress.seconds
        started = time.monotonic()
        each = self.config.steps_per_epoch
        stream = batches(self._items, first, self.config, self.group.rank, self.group.size)
        for step, batch in enumerate(stream, first):
            figures = self._step(wrapped, step, batch)
            self.progress.step = step + 1
            self.progress.seconds = before + time.monotonic() - started
            logs.training(step + 1, {**figures, "seconds": self.progress.seconds})
            is_last = step + 1 == self.config.steps
            reason = "done" if is_last else self._reason_to_end()
            if (step + 1) % each == 0 or is_last or reason == "time":
                self._validate(logs)
            if (step + 1) % each == 0 or reason:
                self._save()
            if reason:
                return reason
        return "done"

    def _step(self, network: nn.Module, step: int, batch: Item) -> dict[str, float]:
        rate = learning_rate(step, self.config)
        for entry in self.optimiser.param_groups:
            entry["lr"] = rate
        network.train()
        self.optimiser.zero_grad(set_to_none=True)
        with self._precision():
            losses = self.task.loss(network, self._on_device(batch), self.options, step // self.config.steps_per_epoch)
        self.scaler.scale(losses["loss"]).backward()
        self.scaler.unscale_(self.optimiser)
        limit = self.config.optimiser.gradient_clip
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), math.inf if limit is None else limit)
        shared = self.group.sum(torch.stack([value.detach().float() for value in losses.values()]))
        figures = dict(zip(losses, (shared / self.group.size).tolist(), strict=True))
        self._check(step, figures["loss"], float(norm))
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return {**figures, "gradient_norm": float(norm), "learning_rate": rate}

    def _check(self, step: int, loss: float, norm: float) -> None:
        # float16 training meets infinite gradients now and then; its scaler leaves such a step out.
        if math.isfinite(loss) and (math.isfinite(norm) or self.scaler.is_enabled()):
            return
        what = "loss" if not math.isfinite(loss) else "gradient"
        kept = f"the last good checkpoint, {self._output / LAST}, stays as it was"
        if not (self._output / LAST).exists():
            kept = "there is no checkpoint yet"
        raise InputError(
            f"The {what} is no longer a number at step {step + 1}, so training stopped; {kept}: lower "
            "optimiser.learning_rate or optimiser.gradient_clip, or look for faulty frames in the data."
        )

    def _reason_to_end(self) -> str:
        minutes = self.config.max_minutes
        late = minutes is not None and self.progress.seconds >= 60 * minutes
        # Processes must end together: each learns what any other wants.
        wishes = self.group.sum(torch.tensor([float(self._stop()), float(late)], device=self.group.device))
        return "stopped" if wishes[0] else "time" if wishes[1] else ""

    def _validate(self, logs: Logs | NoLogs) -> None:
        figures = self.validate()
        score = figures[self.task.score]
        if self.progress.best_score is None or score > self.progress.best_score:
            self.progress.best_score, self.progress.best_step = score, self.progress.step
            self.progress.figures = figures
            if self.group.is_main:
                self._save_network(self._output / BEST)
        logs.validation(self.progress.step, figures)

    def validate(self) -> dict[str, float]:
        """Mean figures over all validation items, and for each source as ``figure (source)``."""
        self.network.eval()
        sums: dict[str, Tensor] = {}
        with torch.no_grad(), self._precision():
            for name, batch in self._validation:
                for key, values in self.task.validate(self.network, self._on_device(batch), self.options).items():
                    row = torch.stack([values.double().sum(), torch.tensor(float(len(values))).to(values).double()])
                    table = sums.setdefault(
                        key, torch.zeros(len(self._names), 2, dtype=torch.float64, device=row.device)
                    )
                    table[self._names.index(name)] += row
        figures: dict[str, float] = {}
        for key, table in sorted(sums.items()):
            whole = self.group.sum(table).cpu()
            figures[key] = float(whole[:, 0].sum() / whole[:, 1].sum())
            if len(self._names) > 1:
                means = (whole[:, 0] / whole[:, 1]).tolist()
                figures |= {f"{key} ({name})": value for name, value in zip(self._names, means, strict=True)}
        return figures

    def _precision(self) -> torch.autocast:
        dtype = _DTYPES[self.config.precision]
        return torch.autocast(torch.device(self.group.device).type, dtype, enabled=dtype is not None)

    def _on_device(self, batch: Item) -> Item:
        return {key: value.to(self.group.device, non_blocking=True) for key, value in batch.items()}

    def _save(self) -> None:
        if self.group.is_main:
            checkpoint.save(
                self._output / LAST, self.network, self.optimiser, self.scaler, self.progress, self._description()
            )

    def _save_network(self, path: Path) -> None:
        from DynamicMRIReconLib.models.files import write_network

        write_network(path, self.network, self.task.name, self.task.network_options(self.options))

    def _description(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.config.model_dump_json())
        found["options"] = json.loads(self.options.model_dump_json())
        return {**found, "network": self.task.name, "processes": self.group.size}
