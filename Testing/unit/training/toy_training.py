"""Tiny trainings of the toy network: settings, a series to learn from, and a way to start them in other processes."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import toy_task

from DynamicMRIReconLib.data import ImageSeries

ROOT = Path(__file__).resolve().parents[3]
#: 12 updates in 3 epochs on 16 x 16 pixels
SMALL: dict[str, Any] = {
    "seed": 3,
    "steps": 12,
    "steps_per_epoch": 4,
    "batch_size": 4,
    "data": {"matrix": [16], "validation_clips": 6},
    "optimiser": {"learning_rate": 0.01},
    "schedule": {"name": "cosine", "warmup_steps": 2},
}


def moving_blob(frames: int = 24, size: int = 20) -> ImageSeries:
    """A bright blob on its way across a dim square."""
    y, x = np.mgrid[:size, :size]
    array = [np.exp(-((x - 4 - 0.5 * t) ** 2 + (y - 9) ** 2) / 9) + 0.1 for t in range(frames)]
    return ImageSeries(np.array(array, np.float32)[:, None], np.eye(4), 0.02 * np.arange(frames))


def start(*words: object, processes: int = 1) -> subprocess.Popen[str]:
    """``train toy`` in a process of its own, or in several that ``torchrun`` starts."""
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    command = [sys.executable, *launcher, toy_task.__file__, "train", "toy", "--device", "cpu", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table that a training wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
