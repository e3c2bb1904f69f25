"""A stand-in for the Slicer application: real MRML (slicer-core), PySide6 widgets that refuse what PythonQt refuses.

``start()`` makes the one host of this process; the module under test then imports ``qt``, ``ctk`` and ``slicer`` as it
does inside Slicer.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .application import Host

HERE = Path(__file__).resolve().parent
_host: Host | None = None


def start() -> Host:
    """The host of this process, made at the first call."""
    global _host
    if _host is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        shims = str(HERE / "shims")
        if shims not in sys.path:
            sys.path.insert(0, shims)
        from .application import Host

        _host = Host()
    return _host
