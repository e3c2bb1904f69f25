"""The log of a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class _Formatter(logging.Formatter):
    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


@contextmanager
def log_to(path: Path, redact: Callable[[str], str] = lambda text: text) -> Iterator[None]:
    """Send everything from level INFO up, and Python's warnings, to a file inside a ``with`` block.

    Each entry goes through ``redact`` as it is written, traceback and all.
    """
    # "x": what is written here must be a new file, not something that a link in a stranger's folder points to.
    handler = logging.FileHandler(path, mode="x", encoding="utf-8")
    handler.setFormatter(_Formatter(redact))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO) if level else logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
