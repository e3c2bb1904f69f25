"""``profile``: an M-mode along a line, as table or picture."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import add_series_options, existing, read_series, series_options
from DynamicMRIReconLib.errors import InputError

SUFFIXES = (".csv", ".png")
#: what a .csv can hold: the tracked edge frame by frame, or the M-mode itself
TABLES = ("edge", "intensity")


def add_command(commands: Any) -> None:
    """Add ``profile`` to the command line."""
    parser = commands.add_parser("profile", help="line profile over time: edge motion as .csv, M-mode as .csv or .png")
    parser.add_argument("series", metavar="SERIES", help="image series")
    parser.add_argument("--line", required=True, metavar='"r,a,s r,a,s"', help="both ends, RAS millimetres")
    parser.add_argument("--output", required=True, metavar="OUT.csv|OUT.png")
    parser.add_argument(
        "--table",
        choices=TABLES,
        help="what a .csv holds: position and velocity of the tracked edge (the default), or the M-mode's intensities",
    )
    add_series_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure and write."""
    from DynamicMRIReconLib.jobs.checks import check_output

    start, end = _line(arguments.line)
    source = existing(arguments.series)
    output = Path(arguments.output)
    suffix = output.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"--output {output.name} must end in {' or '.join(SUFFIXES)}.")
    if arguments.table and suffix != ".csv":
        raise InputError("--table is for .csv files: leave it out, or name a .csv file.")
    check_output(output, [source], holds=None)
    from DynamicMRIReconLib.profiles import line_profile
    from DynamicMRIReconLib.profiles.pictures import write_mmode_png
    from DynamicMRIReconLib.profiles.table import write_csv, write_matrix_csv

    mmode = line_profile(read_series(source, **series_options(arguments)), start, end)
    if arguments.table == "intensity":
        write_matrix_csv(mmode, output)
    elif suffix == ".csv":
        write_csv(mmode, output)
    else:
        write_mmode_png(mmode, output, f"M-mode of {source.name}")
    positions, frames = mmode.intensity.shape
    held = f"{positions} positions x {frames} frames"
    if suffix == ".csv" and arguments.table != "intensity":
        held = f"edge in {frames} frames"
    print(f"{held} -> {output}. Not for diagnostic use.")
    return 0


def _line(text: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    try:
        points = [tuple(float(word) for word in point.split(",")) for point in text.split()]
    except ValueError:
        points = []
    if len(points) != 2 or any(len(point) != 3 or not all(map(math.isfinite, point)) for point in points):
        raise InputError(f'--line {text!r}: write two points in RAS millimetres, as in "-10,0,5 30,0,5".')
    return points[0], points[1]
