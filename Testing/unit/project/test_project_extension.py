"""What the Extensions Manager and the Extensions Index show: complete, and about files that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SET = dict(re.findall(r'set\((EXTENSION_\w+) "([^"]*)"\)', (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")))
ENTRY = json.loads((ROOT / "Resources" / "ExtensionsIndex" / "DynamicMRIRecon.json").read_text(encoding="utf-8"))


def test_every_field_is_filled() -> None:
    wanted = {"HOMEPAGE", "CATEGORY", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS", "DEPENDS"}
    assert {f"EXTENSION_{name}" for name in wanted} == set(SET)
    assert all(SET.values())
    assert "not for diagnostic use" in SET["EXTENSION_DESCRIPTION"].lower()


def test_icon_and_screenshots_are_files_of_the_repository() -> None:
    for url in [SET["EXTENSION_ICONURL"], *SET["EXTENSION_SCREENSHOTURLS"].split()]:
        path = url.partition("/main/")[2]
        assert (ROOT / path).is_file(), path
    assert len(SET["EXTENSION_SCREENSHOTURLS"].split()) >= 3


def test_the_entry_of_the_index_says_the_same() -> None:
    assert ENTRY["scm_url"] == SET["EXTENSION_HOMEPAGE"]
    assert ENTRY["category"] == SET["EXTENSION_CATEGORY"]
    assert ENTRY["build_dependencies"] == SET["EXTENSION_DEPENDS"].split()
    assert set(ENTRY) == {
        "$schema", "build_dependencies", "build_subdirectory", "category", "scm_revision", "scm_url", "tier",
    }  # fmt: skip
    assert ENTRY["build_subdirectory"] == "."
    assert ENTRY["tier"] in (1, 3, 5)
