"""What a worker tells while it runs: one JSON object a line, in ``events.jsonl`` and, if asked, on standard output.

===========  ========================================================================================================
event        fields besides ``event``
===========  ========================================================================================================
started      ``method``, ``device``, ``pid``, ``host``, ``job`` (folder)
progress     ``fraction`` (0..1, never falls), ``message``, ``elapsed_s``, ``remaining_s`` (None while unknown)
preview      ``path`` of a .npy array, magnitudes (frames, z, y, x) or (z, y, x)
warning      ``message``
resumed      ``message``: where the run goes on that was ended before
done         ``path`` of the result, ``output`` (extra output file or None), ``frames``, ``elapsed_s``,
             ``provenance`` (path), ``metrics`` (means, when there is a reference; else None),
             ``data_consistency`` (mean, when asked for; else None)
cancelled    ``message``
error        ``kind`` (``input``, ``resource``, ``internal``), ``message`` fit to show
===========  ========================================================================================================

Exactly one of ``done``, ``cancelled`` and ``error`` ends a run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

FINAL_EVENTS = ("done", "cancelled", "error")
#: longer lines are not events of ours; their beginning would otherwise be kept for ever while waiting for an end
LONGEST_LINE = 4_000_000


class EventWriter:
    """Appends events to a file, to ``echo`` if given, and hands them to ``listener`` if given; flushed one by one.

    The file gets what ``redact`` makes of an event.

    Raises
    ------
    OSError
        The file cannot be written. A closed pipe behind ``echo`` raises ``BrokenPipeError``.
    """

    def __init__(
        self,
        path: Path | None,
        echo: TextIO | None = None,
        listener: Callable[[dict[str, Any]], None] | None = None,
        redact: Callable[[dict[str, Any]], dict[str, Any]] = lambda entry: entry,
    ) -> None:
        self._file = None if path is None else path.open("a", encoding="utf-8", newline="\n")
        self._echo = echo
        self._listener = listener
        self._redact = redact

    def emit(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write one event; gives it back as a dict. One place that fails does not keep it from the others."""
        entry = {"event": event, **fields}
        line = json.dumps(entry, allow_nan=False) + "\n"
        failure: OSError | None = None
        try:
            if self._file is not None:
                self._file.write(json.dumps(self._redact(entry), allow_nan=False) + "\n")
                self._file.flush()
        except OSError as error:
            failure = error
        if self._listener is not None:
            self._listener(entry)
        try:
            if self._echo is not None:
                self._echo.write(line)
                self._echo.flush()
        except OSError as error:
            # Nobody reads any more: say so once.
            self._echo = None
            failure = failure or error
        if failure is not None:
            raise failure
        return entry

    def close(self) -> None:
        """Close the file; ``echo`` stays open, it is not ours."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventReader:
    """Turns the bytes of a worker's standard output into events, however they are cut into pieces.

    >>> reader = EventReader()
    >>> reader.feed(b'{"event": "pro')
    []
    >>> reader.feed(b'gress", "fraction": 0.5}' + b'\\n')
    [{'event': 'progress', 'fraction': 0.5}]
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The events that are complete now. Lines that are no events (text a library printed) are left out."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if self._skipping and lines:
            lines = lines[1:]
            self._skipping = False
        if len(self._rest) > LONGEST_LINE:
            self._rest.clear()
            self._skipping = True
        return [event for line in lines if (event := _event(line)) is not None]

    def finish(self) -> list[dict[str, Any]]:
        """The event of a last line without a line end, if it is whole."""
        event = None if self._skipping else _event(self._rest)
        self._rest.clear()
        return [] if event is None else [event]


def read_events(path: Path) -> list[dict[str, Any]]:
    """The events in a file, oldest first; none when there is no such file."""
    reader = EventReader()
    try:
        data = path.read_bytes()
    except OSError:
        return []
    return reader.feed(data) + reader.finish()


def final_event(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The event that ended the run, None while there is none."""
    return next((event for event in reversed(events) if event["event"] in FINAL_EVENTS), None)


def _event(line: bytes | bytearray) -> dict[str, Any] | None:
    try:
        value = json.loads(bytes(line).decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("event"), str):
        return value
    return None
