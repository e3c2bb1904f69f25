"""What an edge does while something is said: figures of an M-mode for each labelled interval."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DynamicMRIReconLib.audio.textgrid import Interval
from DynamicMRIReconLib.io.atomic import atomic_files
from DynamicMRIReconLib.profiles.mmode import MMode

HEADER = (
    "tier", "label", "start_s", "end_s", "frames", "edge_mean_mm", "edge_min_mm", "edge_max_mm",
    "velocity_max_mm_per_s", "time_of_velocity_max_s",
)  # fmt: skip


@dataclass(frozen=True)
class LabelMeasure:
    """The edge during one label, over its measured frames; figures are NaN where it holds none.

    Attributes
    ----------
    tier, label, start_s, end_s
        Of the interval, on the time axis of the series.
    frames
        Measured frames with an edge in it.
    mean_mm, lowest_mm, highest_mm
        Of the edge's position.
    fastest_mm_per_s, fastest_at_s
        The velocity that is largest in magnitude, with its sign, and when.
    """

    tier: str
    label: str
    start_s: float
    end_s: float
    frames: int
    mean_mm: float
    lowest_mm: float
    highest_mm: float
    fastest_mm_per_s: float
    fastest_at_s: float


def measure_labels(mmode: MMode, tier: str, intervals: Sequence[Interval], offset_s: float = 0.0) -> list[LabelMeasure]:
    """Measure the tracked edge in each interval; ``offset_s`` is where the sound's 0 s is on the series' time axis."""
    found = []
    for one in intervals:
        start, end = one.start_s + offset_s, one.end_s + offset_s
        inside = (mmode.times_s >= start) & (mmode.times_s < end) & ~mmode.synthetic & np.isfinite(mmode.edges_mm)
        edge = mmode.edges_mm[inside]
        speed = np.where(np.isfinite(mmode.velocity_mm_per_s), mmode.velocity_mm_per_s, 0.0)[inside]
        if not edge.size:
            found.append(LabelMeasure(tier, one.label, start, end, 0, *5 * [float("nan")]))
            continue
        fastest = int(np.abs(speed).argmax())
        figures = (edge.mean(), edge.min(), edge.max(), speed[fastest], mmode.times_s[inside][fastest])
        found.append(LabelMeasure(tier, one.label, start, end, int(edge.size), *map(float, figures)))
    return found


def write_labels_csv(measures: Sequence[LabelMeasure], path: str | Path) -> Path:
    """Write a row for each label; numbers that do not exist are empty fields.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    path = Path(path)
    with atomic_files([path], [path.suffix]) as (temporary,), temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for one in measures:
            figures = [one.mean_mm, one.lowest_mm, one.highest_mm, one.fastest_mm_per_s, one.fastest_at_s]
            told = [f"{value:.4f}" if np.isfinite(value) else "" for value in figures]
            writer.writerow([one.tier, one.label, f"{one.start_s:.6f}", f"{one.end_s:.6f}", one.frames, *told])
    return path
