"""Slicer's build installs what the CMakeLists name: every listed file exists and every file is listed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
spec = importlib.util.spec_from_file_location("cmake_lists", ROOT / "Testing" / "cmake_lists.py")
assert spec is not None
assert spec.loader is not None
cmake_lists = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cmake_lists)


@pytest.mark.parametrize("module", cmake_lists.MODULES)
@pytest.mark.parametrize("kind", ["SCRIPTS", "RESOURCES"])
def test_listed_files_are_the_files_that_exist(module: str, kind: str) -> None:
    listed = cmake_lists.listed(module)[kind]
    missing = [name for name in listed if not (ROOT / module / name).is_file()]
    unlisted = sorted(set(cmake_lists.wanted(module)[kind]) - set(listed))
    assert not missing, f"{module}/CMakeLists.txt lists files that do not exist: {missing}"
    assert not unlisted, f"{module}/CMakeLists.txt does not list {unlisted}; run `make lists`"
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("module", cmake_lists.MODULES)
def test_every_file_is_of_a_kind_the_build_takes(module: str) -> None:
    lists = cmake_lists.wanted(module)
    known = {*lists["SCRIPTS"], *lists["RESOURCES"], "CMakeLists.txt"}
    folder = ROOT / module
    files = [
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    ]
    assert sorted(set(files) - known) == []


def test_top_level_adds_both_modules_and_names_the_project() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "project(DynamicMRIRecon)" in text
    for module in cmake_lists.MODULES:
        assert f"add_subdirectory({module})" in text
    assert text.index("find_package(Slicer REQUIRED)") < text.index("add_subdirectory")
