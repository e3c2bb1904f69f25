"""Profiles as CSV (RFC 4180, UTF-8, units in the header), for spreadsheets, R and Praat."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from DynamicMRIReconLib.io.atomic import atomic_files
from DynamicMRIReconLib.profiles.mmode import MMode

HEADER = ("time_s", "edge_mm", "velocity_mm_per_s", "synthetic")


def write_csv(mmode: MMode, path: str | Path) -> Path:
    """Write the tracked edge, a row for each frame: time, position, velocity, and 1 for a synthetic frame.

    Numbers that do not exist (no edge, velocity of a synthetic frame) are empty fields.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    columns = zip(mmode.times_s, mmode.edges_mm, mmode.velocity_mm_per_s, mmode.synthetic, strict=True)
    rows = ([_text(time, 6), _text(edge, 4), _text(speed, 3), str(int(flag))] for time, edge, speed, flag in columns)
    return _write(Path(path), HEADER, rows)


def write_matrix_csv(mmode: MMode, path: str | Path) -> Path:
    """Write the M-mode itself: a row for each position, a column for each frame headed ``intensity_at_0.025000_s``.

    Fields outside the image are empty.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    header = ["position_mm", *(f"intensity_at_{_text(time, 6)}_s" for time in mmode.times_s)]
    rows = (
        [_text(position, 4), *(f"{value:.7g}" if np.isfinite(value) else "" for value in values)]
        for position, values in zip(mmode.positions_mm, mmode.intensity, strict=True)
    )
    return _write(Path(path), header, rows)


def _text(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if np.isfinite(value) else ""


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    with atomic_files([path], [path.suffix]) as (temporary,), temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path
