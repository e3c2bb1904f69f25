"""One host for all tests of this folder; each test starts on an empty scene and leaves no process or error."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.pop("DISPLAY", None)
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))


def _start_host() -> tuple[Any, str]:
    """The host, or why there is none. Test modules import ``qt`` and ``slicer`` at their top, as the panel does."""
    try:
        import host

        return host.start(), ""
    except ImportError as error:
        return None, f"the panel tests need PySide6, slicer-core and the libraries EGL and GL: {error}"


_HOST, _MISSING = _start_host()


class _Skipped(pytest.Module):
    def collect(self) -> Any:
        pytest.skip(_MISSING, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> Any:
    if _MISSING and HERE in module_path.parents:
        return _Skipped.from_parent(parent, path=module_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slicer)


@pytest.fixture(scope="session")
def application() -> Any:
    return _HOST


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


@pytest.fixture(scope="session")
def module(application: Any) -> Any:
    """The real module file, loaded once as Slicer does at start-up."""
    from panel_driver import MODULE_FILE

    return application.load_module(MODULE_FILE)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The only folder for temporary files of this process and its workers. Afterwards it must be empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.rglob("*")) == []


@pytest.fixture
def panel(slicer_host: Any, module: Any, temporary: Path) -> Iterator[Any]:
    """The open panel on an empty scene."""
    from panel_driver import PanelDriver

    driver = PanelDriver(slicer_host)
    yield driver
    driver.close()


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny k-space file that is done within seconds."""
    import scans

    return scans.write_scan(tmp_path_factory.mktemp("scan") / "tiny.h5")


@pytest.fixture(scope="session")
def long_scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """k-space that keeps ``cg-sense`` busy for much longer than a cancellation may take."""
    import scans

    return scans.write_scan(tmp_path_factory.mktemp("scan") / "long.h5", frames=16, size=128, coils=6)
