"""The tests that Slicer's own runner runs, run here too: each check of the module, and what Slicer's button calls."""

from __future__ import annotations

import importlib.util
import re
import unittest
from pathlib import Path
from typing import Any

import pytest
import slicer

HERE = Path(__file__).resolve().parent
FILE = HERE / "DynamicMRIReconSelfTests.py"
#: read from the source, since the module is loaded only later
CHECKS = re.findall(
    r"def (check\w+)", (HERE.parents[1] / "DynamicMRIRecon" / "DynamicMRIReconSlicer" / "selfTest.py").read_text()
)


@pytest.fixture
def suite(slicer_host: Any, module: Any) -> Any:
    """The class with a test for each check."""
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.DynamicMRIReconSelfTests


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_passes(suite: Any, temporary: Path, slicer_host: Any, check: str) -> None:
    outcome = unittest.TestResult()
    suite(f"test_{check}").run(outcome)
    assert outcome.testsRun == 1
    assert [text for _, text in [*outcome.failures, *outcome.errors]] == []
    assert slicer_host.dialogs.of_kind("error") == []
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSequenceNode") == 0


def test_a_check_that_fails_is_seen(suite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from DynamicMRIReconSlicer.selfTest import SelfTest

    def fail(_self: Any) -> None:
        raise AssertionError("planted")

    monkeypatch.setattr(SelfTest, CHECKS[0], fail)
    outcome = unittest.TestResult()
    suite(f"test_{CHECKS[0]}").run(outcome)
    assert len(outcome.failures) == 1


def test_the_button_runs_them_all(slicer_host: Any, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from DynamicMRIReconSlicer.selfTest import SelfTest

    ran: list[str] = []
    monkeypatch.setattr(SelfTest, "run", lambda _self, name: ran.append(name))
    slicer.selfTests["DynamicMRIRecon"]()
    assert ran == CHECKS


def test_the_build_registers_them() -> None:
    root = HERE.parents[1]
    assert "slicer_add_python_unittest(SCRIPT DynamicMRIReconSelfTests.py)" in (HERE / "CMakeLists.txt").read_text()
    assert (
        "slicer_add_python_unittest(SCRIPT ${MODULE_NAME}.py)"
        in (root / "DynamicMRIRecon" / "CMakeLists.txt").read_text()
    )
    assert "add_subdirectory(slicer)" in (HERE.parent / "CMakeLists.txt").read_text()
    assert "add_subdirectory(Testing)" in (root / "CMakeLists.txt").read_text()
