"""The parts of the Slicer module on a real MRML scene, in the application stand-in of Testing/slicer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def slicer_application() -> Any:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ.pop("DISPLAY", None)
    for folder in (ROOT / "Testing" / "slicer", ROOT / "DynamicMRIRecon"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    try:
        # The host imports slicer itself: Testing/slicer on the search path must not get into its namespace.
        import host

        return host.start()
    except ImportError as error:
        pytest.skip(f"these tests need slicer-core and PySide6-Essentials: {error}")


@pytest.fixture
def scene(slicer_application: Any) -> Iterator[Any]:
    """An empty scene; also empty afterwards."""
    slicer_application.clear_scene()
    slicer_application.dialogs.clear()
    import slicer

    yield slicer.mrmlScene
    slicer_application.clear_scene()
