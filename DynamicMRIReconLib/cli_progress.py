"""How the events of a job look to whoever started it: a bar, a few plain lines, or JSON lines."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import Any, Protocol, TextIO


class Display(Protocol):
    """Shows events until closed."""

    def show(self, event: dict[str, Any]) -> None:
        """Show one event."""
        ...

    def close(self) -> None:
        """Take down what is on the screen."""
        ...


def display(*, events: bool) -> Display:
    """JSON lines if asked, else a bar in a terminal, else plain lines."""
    if events:
        return JsonLines(sys.stdout)
    return Bar(sys.stderr) if sys.stderr.isatty() else PlainLines(sys.stdout)


class JsonLines:
    """Every event as it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, event: dict[str, Any]) -> None:
        """Write the event as a line."""
        self._stream.write(json.dumps(event) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing to take down."""


class PlainLines:
    """A line for each warning and each quarter done; for logs, where a bar would be noise."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._quarter = 0

    def show(self, event: dict[str, Any]) -> None:
        """Write a line if the event is worth one."""
        if event["event"] == "warning":
            self._write(f"Warning: {event['message']}")
        elif event["event"] == "resumed":
            self._write(event["message"])
        elif event["event"] == "progress" and int(event["fraction"] * 4) > self._quarter:
            self._quarter = int(event["fraction"] * 4)
            left = event.get("remaining_s")
            rest = "" if left is None or event["fraction"] >= 1 else f", about {left:.0f} s left"
            self._write(f"{event['fraction']:4.0%} {event['message']} ({event['elapsed_s']:.0f} s{rest})")

    def close(self) -> None:
        """Nothing to take down."""

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


class Bar:
    """A progress bar with our own estimate of the time left."""

    def __init__(self, stream: TextIO) -> None:
        from tqdm import tqdm

        layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}"
        self._bar = tqdm(total=1.0, file=stream, leave=False, bar_format=layout, desc="Starting", dynamic_ncols=True)

    def show(self, event: dict[str, Any]) -> None:
        """Move the bar, or write a warning above it."""
        if event["event"] == "progress":
            left = event.get("remaining_s")
            self._bar.set_postfix_str("" if left is None else f"{left:.0f} s left", refresh=False)
            message = textwrap.shorten(event["message"], 44, placeholder=" ...") or "Working"
            self._bar.set_description_str(message, refresh=False)
            self._bar.n = event["fraction"]
            self._bar.refresh()
        elif event["event"] == "warning":
            self._bar.write(f"Warning: {event['message']}", file=sys.stderr)
        elif event["event"] == "resumed":
            self._bar.write(event["message"], file=sys.stderr)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
