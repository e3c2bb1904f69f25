"""What a training writes down: two CSV tables, TensorBoard events where that package is installed, a progress bar."""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path
from typing import Any

TRAINING, VALIDATION = "training.csv", "validation.csv"


class Table:
    """A CSV file that grows by a row at a time; resuming at ``step`` drops what came later."""

    def __init__(self, path: Path, resumed_at: int) -> None:
        self._path, self._names = path, list[str]()
        rows = _rows(path) if resumed_at else []
        kept = [row for row in rows if int(row["step"]) <= resumed_at]
        path.unlink(missing_ok=True)
        for row in kept:
            self.add(row)

    def add(self, row: dict[str, Any]) -> None:
        """Append ``row``; its names must be those of the first."""
        is_new = not self._names
        self._names = self._names or list(row)
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._names, restval="", extrasaction="ignore")
            if is_new:
                writer.writeheader()
            writer.writerow(row)


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if (row.get("step") or "").isdecimal()]


class Logs:
    """The tables, TensorBoard and the bar of one training, in the main process only."""

    def __init__(self, folder: Path, steps: int, resumed_at: int) -> None:
        from tqdm import tqdm

        self._tables = {name: Table(folder / name, resumed_at) for name in (TRAINING, VALIDATION)}
        self._board: Any = None
        if importlib.util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=resumed_at + 1)
        self._bar = tqdm(
            total=steps, initial=resumed_at, unit="step", file=sys.stderr, disable=None, dynamic_ncols=True
        )

    def training(self, step: int, figures: dict[str, float]) -> None:
        """Write down a training step and move the bar."""
        self._add(TRAINING, "training", step, figures)
        self._bar.n = step
        self._bar.set_postfix_str(f"loss {figures['loss']:.4g}")

    def validation(self, step: int, figures: dict[str, float]) -> None:
        """Write down a validation."""
        self._add(VALIDATION, "validation", step, figures)
        text = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self.say(f"step {step}: {text}")

    def say(self, text: str) -> None:
        """A line for whoever watches."""
        self._bar.write(text, file=sys.stderr)

    def close(self) -> None:
        """Take down the bar and finish the files."""
        self._bar.close()
        if self._board is not None:
            self._board.close()

    def _add(self, table: str, group: str, step: int, figures: dict[str, float]) -> None:
        self._tables[table].add({"step": step, **figures})
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(f"{group}/{name}", value, step)


class NoLogs:
    """Those of the processes that do not write."""

    def training(self, step: int, figures: dict[str, float]) -> None:
        """Nothing."""

    def validation(self, step: int, figures: dict[str, float]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
