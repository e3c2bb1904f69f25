"""From the lines of a manifest to jobs, all of them checked before the first one starts."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.batch import record
from DynamicMRIReconLib.batch.manifest import FLAGS, PAIRS, PATHS, SEVERAL_PATHS, Line
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.checks import output_targets
from DynamicMRIReconLib.jobs.job import Job
from DynamicMRIReconLib.methods import registry

ROWS = "rows"
#: how the names of parameters begin that name a file to write
SAVES = "save_"
#: options of ``recon`` that columns with another name stand for
_OPTIONS = {"parameters": "set"}
_YES, _NO = ("yes", "true", "1", "x"), ("no", "false", "0")


@dataclass(frozen=True)
class Row:
    """One checked job of a batch.

    Attributes
    ----------
    number, line
        Its place among the jobs of the manifest, and its line in the file, both from 1.
    job
        What is to be done; every path is absolute.
    folder
        Its job folder. It has the output's name as a hash, so that it stays the same when lines are moved.
    """

    number: int
    line: int
    job: Job
    folder: Path

    @property
    def output(self) -> Path:
        """The file that the row makes."""
        assert self.job.output is not None
        return Path(self.job.output)


def checked_rows(
    lines: Iterable[Line],
    home: Path,
    place: Path,
    make_job: Callable[[list[str]], Job],
    *,
    overwrite: bool = False,
    options: tuple[str, ...] = (),
) -> tuple[list[Row], list[str]]:
    """The rows, and a sentence with its line number for each line that is wrong.

    Parameters
    ----------
    lines
        Of the manifest.
    home
        Absolute folder that relative paths start at.
    place
        Folder of the batch, for the rows' job folders.
    make_job
        Makes a checked job of the words behind ``recon`` on a command line, as ``cli_recon.job_of`` does.
    overwrite
        Outputs may replace files that this batch did not make.
    options
        Options of ``recon`` that hold for every row, such as ``--private``.
    """
    rows: list[Row] = []
    complaints: list[str] = []
    for number, line in enumerate(lines, 1):
        try:
            if line.complaint:
                raise InputError(line.complaint)
            job = make_job([*_words(line, home), *options])
            rows.append(Row(number, line.number, job, _folder(place, job)))
            if not overwrite:
                record.check_replaced(rows[-1].folder, job)
        except InputError as error:
            complaints.append(f"line {line.number}: {_without_help(str(error))}")
    return rows, sorted(complaints + _conflicts(rows), key=_line_of)


def _words(line: Line, home: Path) -> list[str]:
    """The command line of ``recon`` that does what the line says."""
    words = [str(home / Path(name).expanduser()) for name in _parts(line.cells["input"])]
    for column, cell in line.cells.items():
        option = "--" + _OPTIONS.get(column, column).replace("_", "-")
        if column in FLAGS:
            words += [option] if _flag(column, cell) else []
        elif column in PATHS:
            words.append(f"{option}={home / Path(cell).expanduser()}")
        elif column in SEVERAL_PATHS:
            words += [] if column == "input" else [option, *(str(home / Path(name)) for name in _parts(cell))]
        elif column == "simulate":
            words.append(f"{option}={','.join(_parts(cell))}")
        elif column in PAIRS:
            words += [f"{option}={_with_path(pair, home)}" for pair in _parts(cell)]
        else:
            words.append(f"{option}={cell}")
    return words


def _with_path(pair: str, home: Path) -> str:
    """``name=value`` with a file as a value made absolute: one that is there, or one that the method shall save."""
    name, _, value = (part.strip() for part in pair.partition("="))
    is_file = value and (name.replace("-", "_").startswith(SAVES) or (home / value).is_file())
    return f"{name}={home / Path(value).expanduser()}" if is_file else pair


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _flag(column: str, cell: str) -> bool:
    if cell.lower() not in (*_YES, *_NO):
        raise InputError(f"{column} = {cell!r}: write yes or no.")
    return cell.lower() in _YES


def _folder(place: Path, job: Job) -> Path:
    name = os.path.realpath(str(job.output))
    return place / ROWS / hashlib.sha256(name.encode()).hexdigest()[:16]


def _without_help(text: str) -> str:
    """A sentence about a column instead of an option, without the hint at the help of another command."""
    return re.sub(r"^argument --([\w-]+)", lambda match: match[1].replace("-", "_"), text.partition(" (see: ")[0])


def _line_of(sentence: str) -> int:
    return int(sentence.partition(":")[0].removeprefix("line "))


def _conflicts(rows: list[Row]) -> list[str]:
    """Rows that would write each other's files, or read what another one writes: their order is not known."""
    writer: dict[str, Row] = {}
    found: list[str] = []
    for row in rows:
        for target in _targets(row):
            first = writer.setdefault(target, row)
            if first is not row:
                found.append(f"line {row.line}: line {first.line} writes {target} too: name another output.")
                break
    for row in rows:
        reads = (os.path.realpath(one.path) for one in row.job.all_inputs())
        other = next((writer[path] for path in reads if path in writer), None)
        if other is not None:
            found.append(
                f"line {row.line}: it reads what line {other.line} makes, and rows run in any order: use two manifests."
            )
    return found


def _targets(row: Row) -> list[str]:
    method: Any = registry.get(row.job.method)
    parts = method.parts_of(method.parameters(row.job.preset, **row.job.parameters))
    saved = [Path(str(value)) for name, value in row.job.parameters.items() if name.startswith(SAVES) and value]
    return [os.path.realpath(path) for path in [*output_targets(row.output, parts), *saved]]
