"""Ctrl-C and its relatives cancel a running job in order, instead of tearing the program down."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Cancellable(Protocol):
    """Something that runs and can be asked to stop, more than once."""

    def cancel(self) -> None:
        """Stop; asked again, be quick about it."""
        ...


@contextmanager
def cancelling(runner: Cancellable) -> Iterator[None]:
    """Inside the block SIGINT, SIGTERM and SIGHUP cancel ``runner``; a second one is more insistent."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda *_: runner.cancel()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def terminable() -> Iterator[None]:
    """Inside the block SIGTERM ends the program as Ctrl-C does, so that no unfinished file is left."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
