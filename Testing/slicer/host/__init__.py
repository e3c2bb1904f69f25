"""A stand-in for the Slicer application: real MRML (slicer-core), PySide6 widgets that refuse what PythonQt refuses.

``start()`` makes the one host of this process; the module under test then imports ``qt``, ``ctk`` and ``slicer`` as it
does inside Slicer.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .application import Host

HERE = Path(__file__).resolve().parent
_host: Host | None = None


def _make_constants_immortal() -> None:
    """Keep PySide 6.12 from freeing ``None``, ``True`` and ``False``.

    It returns them without taking a reference, which is right from Python 3.12 on, where they are immortal; on 3.11
    each call of a method without result brings the interpreter nearer to ``Fatal Python error: none_dealloc``.
    """
    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        for constant in (None, True, False):
            ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 40


def _import_slicer() -> None:
    """Import slicer-core. It would also take in every folder called ``slicer`` on the search path, such as ours."""
    before = sys.path.copy()
    sys.path[:] = [folder for folder in before if (Path(folder) / "slicer").resolve() != HERE.parent]
    try:
        import slicer

        assert str(HERE.parent) not in slicer.__path__
    finally:
        sys.path[:] = before


def start() -> Host:
    """The host of this process, made at the first call."""
    global _host
    if _host is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _make_constants_immortal()
        _import_slicer()
        shims = str(HERE / "shims")
        if shims not in sys.path:
            sys.path.insert(0, shims)
        from .application import Host

        _host = Host()
    return _host
