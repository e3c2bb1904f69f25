"""Profiles as CSV (RFC 4180, UTF-8, units in the header), for spreadsheets, R and Praat."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from DynamicMRIReconLib.io.atomic import atomic_files
from DynamicMRIReconLib.profiles.mmode import MMode
from DynamicMRIReconLib.profiles.region_curve import RegionCurve

HEADER = (
    "time_s",
    "edge_mm",
    "velocity_mm_per_s",
    "acceleration_mm_per_s2",
    "edge_width_mm",
    "edge_sd_mm",
    "synthetic",
)
REGION_HEADER = ("time_s", "mean", "sd", "minimum", "maximum", "synthetic")


def write_csv(mmode: MMode, path: str | Path) -> Path:
    """Write the tracked edge, a row for each frame: time, position, velocity..., and 1 for a synthetic frame.

    Numbers that do not exist (no edge, velocity of a synthetic frame, no uncertainty) are empty fields.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    return _write(Path(path), HEADER, _edge_rows(mmode))


def write_edges_csv(mmodes: Mapping[tuple[str, str], MMode], path: str | Path) -> Path:
    """Write several tracked edges into one table, a row for each frame of each: ``series``, ``line``, then as above.

    This long form is what statistics programs group by (R: ``read.csv``, then ``~ series + line``).

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    rows = ([series, line, *row] for (series, line), mmode in mmodes.items() for row in _edge_rows(mmode))
    return _write(Path(path), ("series", "line", *HEADER), rows)


def write_regions_csv(curves: Mapping[tuple[str, str], RegionCurve], path: str | Path) -> Path:
    """Write region-time curves: ``series``, ``region``, ``time_s``, ``mean``, ``sd``, ``minimum``, ``maximum``...

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    rows = (
        [series, region, _text(time, 6), *(f"{value:.7g}" for value in values), str(int(flag))]
        for (series, region), curve in curves.items()
        for time, flag, *values in zip(
            curve.times_s, curve.synthetic, curve.mean, curve.deviation, curve.minimum, curve.maximum, strict=True
        )
    )
    return _write(Path(path), ("series", "region", *REGION_HEADER), rows)


def _edge_rows(mmode: MMode) -> Iterator[list[str]]:
    columns = zip(
        mmode.times_s,
        mmode.edges_mm,
        mmode.velocity_mm_per_s,
        mmode.acceleration_mm_per_s2,
        mmode.edge_width_mm,
        mmode.edge_deviation_mm,
        mmode.synthetic,
        strict=True,
    )
    for time, edge, speed, acceleration, width, deviation, flag in columns:
        numbers = (_text(time, 6), _text(edge, 4), _text(speed, 3), _text(acceleration, 1), _text(width, 4))
        yield [*numbers, _text(deviation, 4), str(int(flag))]


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
