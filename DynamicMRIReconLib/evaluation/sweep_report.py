"""A sweep as a table: for people, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DynamicMRIReconLib.evaluation.report import table
from DynamicMRIReconLib.io.atomic import atomic_files

if TYPE_CHECKING:
    from DynamicMRIReconLib.sweep import Trial

_METRICS = (
    ("psnr_db", "PSNR [dB]", ("psnr_db", "mean"), ".2f"),
    ("ssim", "SSIM", ("ssim", "mean"), ".4f"),
    ("nrmse", "NRMSE", ("nrmse", "mean"), ".4f"),
    ("psnr_moving_db", "PSNR moving [dB]", ("moving", "psnr_db", "mean"), ".2f"),
    ("ssim_moving", "SSIM moving", ("moving", "ssim", "mean"), ".4f"),
)


def sweep_table(trials: Sequence[Trial], chosen: int, mark: str = "<- best") -> str:
    """A Markdown table with a row for each trial; ``mark`` stands behind the ``chosen`` one."""
    figures = _figure_names(trials)
    measured = any(trial.metrics is not None for trial in trials)
    names = [*trials[0].parameters, *(title for _, title, _, _ in _METRICS if measured)]
    header = ["", *names, *(() if measured else figures), "time [s]"]
    rows = []
    for i, trial in enumerate(trials):
        metrics = [_shown(_metric(trial, keys), form) for _, _, keys, form in _METRICS if measured]
        extra = [] if measured else [_shown(trial.figures.get(name), ".5g") for name in figures]
        values = [_shown(value, "g") for value in trial.parameters.values()]
        rows.append([mark if i == chosen else "", *values, *metrics, *extra, f"{trial.seconds:.1f}"])
    return table(header, rows)


def write_sweep_csv(trials: Sequence[Trial], chosen: int, path: str | Path) -> Path:
    """Write every figure of every trial; the column ``chosen`` is 1 in one row and 0 in the others.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    path = Path(path)
    figures = _figure_names(trials)
    with atomic_files([path], [".csv"]) as (temporary,), temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["chosen", *trials[0].parameters, *(key for key, *_ in _METRICS), *figures, "seconds"])
        for i, trial in enumerate(trials):
            metrics = [_blank(_metric(trial, keys)) for _, _, keys, _ in _METRICS]
            values = [_blank(trial.figures.get(name)) for name in figures]
            writer.writerow([int(i == chosen), *trial.parameters.values(), *metrics, *values, f"{trial.seconds:.3f}"])
    return path


def _figure_names(trials: Sequence[Trial]) -> list[str]:
    return list(dict.fromkeys(name for trial in trials for name in trial.figures))


def _metric(trial: Trial, keys: tuple[str, ...]) -> Any:
    value: Any = trial.metrics
    for key in keys:
        value = None if value is None else value.get(key)
    return value


def _shown(value: Any, form: str) -> str:
    if value is None:
        return "-"
    return format(value, form) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _blank(value: Any) -> Any:
    return "" if value is None else value
