"""The packaged list of methods, shown before the packages are installed, is the library's own."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).resolve().parents[3] / "DynamicMRIRecon"


@pytest.fixture
def method_list(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(MODULE))
    return importlib.import_module("DynamicMRIReconSlicer.methodList")


def test_snapshot_is_the_registry(method_list: Any) -> None:
    assert method_list.fromSnapshot() == method_list.fromRegistry(), (
        "run: PYTHONPATH=.:DynamicMRIRecon python -m DynamicMRIReconSlicer.methodList"
    )


def test_snapshot_is_used_without_pydantic(method_list: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("DynamicMRIReconLib.methods")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(ImportError):
        method_list.fromRegistry()
    assert method_list.methods() == method_list.fromSnapshot()
    assert method_list.problem("cg-sense", {"iterations": -1}) is None


def test_presets_complete_the_defaults(method_list: Any) -> None:
    for method in method_list.methods():
        names = {entry["name"] for entry in method["parameters"]}
        for preset in method_list.presetNames(method):
            assert set(method_list.presetValues(method, preset)) == names, (method["key"], preset)
        assert method_list.presetNames(method)[:3] == ["fast", "standard", "faithful"]


def test_problem_names_the_parameter(method_list: Any) -> None:
    assert method_list.problem("cg-sense", {}) is None
    assert "iterations" in method_list.problem("cg-sense", {"iterations": -1})
