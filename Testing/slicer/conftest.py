"""One host for all tests of this folder; each test starts on an empty scene and leaves no process or error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("DISPLAY", None)
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slicer)


@pytest.fixture(scope="session")
def application() -> Any:
    pytest.importorskip("PySide6", reason="the panel tests need PySide6 (pip install PySide6-Essentials)")
    pytest.importorskip("slicer", reason="the panel tests need slicer-core (pip install slicer-core)")
    import host

    return host.start()


def _children() -> list[Any]:
    import psutil

    return psutil.Process().children(recursive=True)


@pytest.fixture
def slicer_host(application: Any) -> Iterator[Any]:
    """The host with an empty scene. Afterwards: no child process left, nothing raised in a slot."""
    before = {child.pid for child in _children()}
    application.dialogs.clear()
    application.slot_errors.clear()
    application.clear_scene()
    yield application
    application.clear_scene()
    left = [child for child in _children() if child.pid not in before and child.status() != "zombie"]
    for child in left:
        child.kill()
    errors, application.slot_errors = application.slot_errors, []
    assert not left, f"processes left behind: {left}"
    assert not errors, f"raised in a slot: {errors}"
