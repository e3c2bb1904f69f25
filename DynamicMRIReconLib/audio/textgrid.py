"""Praat's TextGrid files: labels of intervals and of points in time, read in its long and short form, written long."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.atomic import atomic_files

SUFFIX = ".TextGrid"
_LARGEST_BYTES = 50_000_000
#: what carries meaning in both forms: quoted text (a quote inside is doubled), numbers and flags that stand alone
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<![^\s])(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?![^\s])|<(exists|absent)>')


@dataclass(frozen=True)
class Interval:
    """A label from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True)
class Point:
    """A label at a moment."""

    time_s: float
    label: str


@dataclass(frozen=True)
class TextGrid:
    """Named tiers of labels over the time from ``start_s`` to ``end_s``, in seconds of the sound that they label."""

    start_s: float
    end_s: float
    intervals: dict[str, list[Interval]] = field(default_factory=dict)
    points: dict[str, list[Point]] = field(default_factory=dict)


def read_textgrid(path: str | Path) -> TextGrid:
    """Read a TextGrid in UTF-8, UTF-16 or Latin-1, in its long or its short form. Empty labels are left out.

    Raises
    ------
    InputError
        It is missing, is no TextGrid, is cut short, or its times do not make sense.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path.name} is too large for a TextGrid: it is something else.")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    text = _decoded(content)
    if '"TextGrid"' not in text[:400]:
        raise InputError(f"{path.name} is no TextGrid of Praat: save the labels with Save as text file.")
    try:
        return _parsed(_Tokens(text.partition('"TextGrid"')[2]))
    except (StopIteration, ValueError, OverflowError) as error:
        raise InputError(f"{path.name} is damaged or cut short: {error or 'it ends too early'}.") from error


def write_textgrid(grid: TextGrid, path: str | Path) -> Path:
    """Write a TextGrid, UTF-8, long form; gaps between intervals become empty ones, as Praat wants them.

    Raises
    ------
    InputError
        No tier, labels outside the grid, overlapping intervals, or a folder that cannot be written.
    """
    path = Path(path)
    tiers = [_interval_tier(grid, name, one) for name, one in grid.intervals.items()]
    tiers += [_point_tier(grid, name, one) for name, one in grid.points.items()]
    if not tiers or not grid.end_s > grid.start_s:
        raise InputError("A TextGrid needs at least one tier, and an end that comes after its start.")
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", f"xmin = {_number(grid.start_s)}"]
    lines += [f"xmax = {_number(grid.end_s)}", "tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, tier in enumerate(tiers, 1):
        lines += [f"    item [{number}]:", *(f"        {line}" for line in tier)]
    with atomic_files([path], [path.suffix]) as (temporary,):
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class _Tokens:
    """The values of a TextGrid in their order, whatever stands between them."""

    def __init__(self, text: str) -> None:
        # In the long form numbers stand in brackets too, as in "intervals [3]:"; these are no values.
        self._found = _TOKEN.finditer(text)

    def text(self) -> str:
        match = next(self._found)
        if match[1] is None:
            raise ValueError(f"a text was expected where {match[0]} stands")
        return match[1].replace('""', '"')

    def number(self) -> float:
        match = next(self._found)
        if match[2] is None:
            raise ValueError(f"a number was expected where {match[0]} stands")
        return float(match[2])

    def flag(self) -> str:
        match = next(self._found)
        if match[3] is None:
            raise ValueError(f"<exists> was expected where {match[0]} stands")
        return match[3]


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _parsed(tokens: _Tokens) -> TextGrid:
    start, end = tokens.number(), tokens.number()
    if not end > start:
        raise ValueError(f"it ends at {end:g} s, before its start at {start:g} s")
    intervals: dict[str, list[Interval]] = {}
    points: dict[str, list[Point]] = {}
    count = int(tokens.number()) if tokens.flag() == "exists" else 0
    for _ in range(count):
        kind, name = tokens.text(), tokens.text()
        while name in intervals or name in points:
            name += "'"
        tokens.number()
        tokens.number()
        size = int(tokens.number())
        if kind == "IntervalTier":
            found = [Interval(tokens.number(), tokens.number(), tokens.text()) for _ in range(size)]
            if any(one.end_s < one.start_s for one in found):
                raise ValueError(f"an interval of {name} ends before it starts")
            intervals[name] = [one for one in found if one.label.strip()]
        elif kind == "TextTier":
            points[name] = [Point(tokens.number(), tokens.text()) for _ in range(size)]
        else:
            raise ValueError(f"{kind} is no kind of tier")
    return TextGrid(start, end, intervals, points)


def _interval_tier(grid: TextGrid, name: str, given: Sequence[Interval]) -> list[str]:
    filled: list[Interval] = []
    reached = grid.start_s
    for one in sorted(given, key=lambda interval: interval.start_s):
        if one.start_s < reached or one.end_s <= one.start_s or one.end_s > grid.end_s:
            raise InputError(f"The interval {one.label!r} of {name} overlaps another, or leaves the grid.")
        if one.start_s > reached:
            filled.append(Interval(reached, one.start_s, ""))
        filled.append(one)
        reached = one.end_s
    if reached < grid.end_s:
        filled.append(Interval(reached, grid.end_s, ""))
    lines = _head(grid, "IntervalTier", name, "intervals", len(filled))
    for number, one in enumerate(filled, 1):
        lines += [f"intervals [{number}]:", f"    xmin = {_number(one.start_s)}", f"    xmax = {_number(one.end_s)}"]
        lines.append(f"    text = {_quoted(one.label)}")
    return lines


def _point_tier(grid: TextGrid, name: str, given: Sequence[Point]) -> list[str]:
    ordered = sorted(given, key=lambda point: point.time_s)
    if any(not grid.start_s <= one.time_s <= grid.end_s for one in ordered):
        raise InputError(f"A point of {name} lies outside the grid.")
    lines = _head(grid, "TextTier", name, "points", len(ordered))
    for number, one in enumerate(ordered, 1):
        lines += [f"points [{number}]:", f"    number = {_number(one.time_s)}", f"    mark = {_quoted(one.label)}"]
    return lines


def _head(grid: TextGrid, kind: str, name: str, what: str, size: int) -> list[str]:
    start, end = _number(grid.start_s), _number(grid.end_s)
    named = [f'class = "{kind}"', f"name = {_quoted(name)}"]
    return [*named, f"xmin = {start}", f"xmax = {end}", f"{what}: size = {size}"]


def _number(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
