"""slicer-core for tests that need MRML but no application."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

TESTING = Path(__file__).resolve().parents[2]


def import_slicer() -> Any:
    """The package, or a skipped test. It takes in every folder called ``slicer`` on the search path, so the one with
    the tests of the panel is hidden from it."""
    before = sys.path.copy()
    sys.path[:] = [folder for folder in before if Path(folder or ".").resolve() != TESTING]
    try:
        return pytest.importorskip("slicer", reason="slicer-core is not installed", exc_type=ImportError)
    finally:
        sys.path[:] = before
