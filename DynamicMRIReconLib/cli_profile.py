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
    parser.add_argument("series", nargs="+", metavar="SERIES", help="image series; several share one table")
    parser.add_argument(
        "--line",
        required=True,
        action="append",
        metavar='"r,a,s r,a,s"',
        help="both ends, or the corners of a bent line, RAS millimetres; given several times: several lines",
    )
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

    lines = [_line(text) for text in arguments.line]
    sources = [existing(name) for name in arguments.series]
    output = Path(arguments.output)
    suffix = output.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"--output {output.name} must end in {' or '.join(SUFFIXES)}.")
    if arguments.table and suffix != ".csv":
        raise InputError("--table is for .csv files: leave it out, or name a .csv file.")
    several = len(lines) * len(sources) > 1
    if several and (suffix == ".png" or arguments.table == "intensity"):
        raise InputError("Several series or lines go into a table of edges only: name a .csv file, without --table.")
    check_output(output, sources, holds=None)
    from DynamicMRIReconLib.profiles import curve_profile
    from DynamicMRIReconLib.profiles.pictures import write_mmode_png
    from DynamicMRIReconLib.profiles.table import write_csv, write_edges_csv, write_matrix_csv

    mmodes = {}
    for source, name in zip(sources, _names(sources), strict=True):
        series = read_series(source, **series_options(arguments))
        for number, points in enumerate(lines, 1):
            mmodes[name, str(number)] = curve_profile(series, points)
    mmode = next(iter(mmodes.values()))
    if several:
        write_edges_csv(mmodes, output)
    elif arguments.table == "intensity":
        write_matrix_csv(mmode, output)
    elif suffix == ".csv":
        write_csv(mmode, output)
    else:
        write_mmode_png(mmode, output, f"M-mode of {sources[0].name}")
    positions, frames = mmode.intensity.shape
    held = f"{positions} positions x {frames} frames"
    if suffix == ".csv" and arguments.table != "intensity":
        held = f"{len(mmodes)} edges" if several else f"edge in {frames} frames"
    print(f"{held} -> {output}. Not for diagnostic use.")
    return 0


def _names(sources: list[Path]) -> list[str]:
    """File names; with their folder where two are alike."""
    names = [source.name for source in sources]
    return [name if names.count(name) == 1 else str(source) for name, source in zip(names, sources, strict=True)]


def _line(text: str) -> list[tuple[float, ...]]:
    try:
        points = [tuple(float(word) for word in point.split(",")) for point in text.split()]
    except ValueError:
        points = []
    if len(points) < 2 or any(len(point) != 3 or not all(map(math.isfinite, point)) for point in points):
        raise InputError(f'--line {text!r}: write two or more points in RAS millimetres, as in "-10,0,5 30,0,5".')
    return points
