"""How the rows of a batch ended, as a CSV file and for people."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from DynamicMRIReconLib.batch.rows import ROWS, Row
from DynamicMRIReconLib.io.atomic import atomic_files
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.privacy import redactor_of

NAME = "summary.csv"
HEADER = ("row", "line", "state", "time_s", "output", "message", "log")
#: what a row can be at the end; only the first two mean that its output is there
STATES = ("done", "unchanged", "failed", "cancelled")
GOOD = STATES[:2]
#: tables with more rows are shown without the good ones
_MOST_SHOWN = 60
_LONGEST_MESSAGE = 100


@dataclass(frozen=True)
class Result:
    """How a row ended; ``unchanged`` when an earlier batch has done it."""

    row: Row
    state: str
    time_s: float = 0.0
    message: str = ""

    @property
    def good(self) -> bool:
        """Whether the output is there."""
        return self.state in GOOD

    def cells(self) -> tuple[str, ...]:
        """The row of the table, below ``HEADER``."""
        redact = redactor_of(self.row.job)
        number, line = str(self.row.number), str(self.row.line)
        output = redact(str(self.row.output))
        # in the batch's folder, where the summary lies
        log = f"{ROWS}/{self.row.folder.name}/{files.LOG}"
        return (number, line, self.state, f"{self.time_s:.2f}", output, redact(self.message), log)


def write_summary(results: Sequence[Result], folder: Path) -> Path:
    """Write the table into the batch's folder; it appears whole or not at all.

    Raises
    ------
    InputError, ResourceError
        The folder cannot be written, the disk is full.
    """
    path = folder / NAME
    with atomic_files([path], [".csv"]) as (temporary,), temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(result.cells() for result in results)
    return path


def shown(results: Sequence[Result]) -> str:
    """The table for people; of a long one only the rows that are not done."""
    listed = [one for one in results if len(results) <= _MOST_SHOWN or not one.good]
    rows = [HEADER[:-1], *(one.cells()[:-1] for one in listed)]
    short = [(*cells[:-1], _short(cells[-1])) for cells in rows]
    widths = [max(len(cells[i]) for cells in short) for i in range(len(short[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in short]
    return "\n".join([*(line.rstrip() for line in lines), counted(results)])


def counted(results: Sequence[Result]) -> str:
    """``20 rows: 18 done, 2 failed.``"""
    counts = Counter(one.state for one in results)
    return f"{count_of(len(results))}: {', '.join(f'{counts[state]} {state}' for state in STATES if counts[state])}."


def count_of(rows: int) -> str:
    """``1 row``, ``2 rows``."""
    return f"{rows} row{'' if rows == 1 else 's'}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 4]} ..."
