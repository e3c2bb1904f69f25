"""What a Dask worker process on this computer does first (a ``preload`` module of Dask)."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any


def dask_setup(worker: Any) -> None:
    """Leave the terminal's process group: Ctrl-C is for the batch, which then ends the rows in order."""
    with suppress(OSError, AttributeError):
        os.setpgid(0, 0)
