"""The table of a batch: a CSV file with one job a line."""

from __future__ import annotations

import csv
import difflib
import io as text_io
from dataclasses import dataclass
from pathlib import Path

from DynamicMRIReconLib.errors import InputError

REQUIRED = ("input", "method", "output")
#: columns with one file, or one folder; relative ones start at the manifest's folder
PATHS = ("trajectory", "coil_maps", "reference", "grid", "output")
#: columns with one or more files, separated by semicolons
SEVERAL_PATHS = ("input", "masks")
#: columns with yes or no
FLAGS = ("data_consistency", "no_memory_check", "transforms")
#: columns that are taken as they are
VALUES = (
    *("method", "preset", "frames", "device", "seed", "cardiac"),
    *("axes", "frames_from", "times_from", "shots_per_frame", "dataset", "variable", "pixel_size_mm"),
)
#: columns with ``name=value`` pairs, separated by semicolons
PAIRS = ("parameters", "simulate")
COLUMNS = (*REQUIRED, "preset", "parameters", *sorted({*PATHS, *SEVERAL_PATHS, *FLAGS, *VALUES, *PAIRS} - {*REQUIRED}))

#: a table of a million jobs; anything larger is something else
LARGEST_FILE_BYTES = 64_000_000


@dataclass(frozen=True)
class Line:
    """One job of a manifest: the ``number`` of its line in the file, from 1, and its cells by column, empty ones out.

    ``complaint`` says what is wrong with the line itself; empty when nothing is.
    """

    number: int
    cells: dict[str, str]
    complaint: str = ""


def read_manifest(path: Path) -> list[Line]:
    """The lines of a manifest; UTF-8, columns by name, separated by commas, semicolons or tabs.

    Lines without any text and lines that begin with ``#`` are left out.

    Raises
    ------
    InputError
        It cannot be read, is no such table, lacks a column, has one that nobody knows, or has no jobs.
    """
    text = _text(path)
    reader = csv.reader(text_io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    columns: list[str] = []
    lines: list[Line] = []
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            cells = [cell.strip() for cell in cells]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not columns:
                columns = _columns(path, cells)
            else:
                lines.append(_line(number, columns, cells))
    except csv.Error as error:
        raise InputError(f"{path} is no CSV table: line {reader.line_num}: {error}.") from error
    if not lines:
        raise InputError(f"{path} has no jobs: the first line names the columns, each further line is a job.")
    return lines


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise InputError(f"{path} is too large for a manifest: it is something else.")
        # utf-8-sig: spreadsheets put a mark at the beginning
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist: check the name.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: save it as CSV UTF-8.") from error
    if "\0" in text:
        raise InputError(f"{path} is no text: save it as CSV UTF-8.")
    return text


def _delimiter(text: str) -> str:
    """What separates the columns' names: spreadsheets take a semicolon where the comma is a decimal sign."""
    header = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return max(",;\t", key=header.count)


def _columns(path: Path, cells: list[str]) -> list[str]:
    names = [cell.lower().replace("-", "_").replace(" ", "_") for cell in cells]
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise InputError(f"{path} has a column {name!r} that is not known.{hint} Columns: {', '.join(COLUMNS)}.")
        if names.count(name) > 1:
            raise InputError(f"{path} has the column {name} twice: keep one.")
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise InputError(f"{path} lacks the column {missing[0]}; needed are {', '.join(REQUIRED)}.")
    return names


def _line(number: int, columns: list[str], cells: list[str]) -> Line:
    found = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
    if any(cells[len(columns) :]):
        return Line(number, found, f"it has {len(cells)} cells, but there are {len(columns)} columns: quote commas.")
    empty = [name for name in REQUIRED if name not in found]
    return Line(number, found, f"the cell {empty[0]} is empty: fill it." if empty else "")
