"""Keeps the file lists of the two modules' CMakeLists.txt equal to the files that exist.

Slicer's build installs only what is listed there. ``--write`` rewrites the lists; the test uses ``listed``, ``wanted``.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("DynamicMRIRecon", "DynamicMRIReconLib")
SCRIPT_SUFFIX = ".py"
RESOURCE_SUFFIXES = (".ui", ".png", ".svg", ".txt", ".json", ".xml", ".typed", ".nrrd", ".wav", ".TextGrid", ".md")


def wanted(module: str) -> dict[str, list[str]]:
    """Files below the module's folder, by the name of the list they belong to, sorted."""
    folder = ROOT / module
    files = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.name != "CMakeLists.txt"
    ]
    return {
        "SCRIPTS": [name for name in files if name.endswith(SCRIPT_SUFFIX)],
        "RESOURCES": [name for name in files if name.endswith(RESOURCE_SUFFIXES)],
    }


def listed(module: str) -> dict[str, list[str]]:
    """The two lists as they stand in the module's CMakeLists.txt."""
    text = (ROOT / module / "CMakeLists.txt").read_text(encoding="utf-8")
    return {
        name: re.search(rf"set\(MODULE_PYTHON_{name}(.*?)\)", text, re.DOTALL)[1].split()  # type: ignore[index]
        for name in ("SCRIPTS", "RESOURCES")
    }


def write(module: str) -> None:
    """Rewrite both lists in place."""
    path = ROOT / module / "CMakeLists.txt"
    text = path.read_text(encoding="utf-8")
    for name, files in wanted(module).items():
        lines = "".join(f"\n  {file}" for file in files)
        text = re.sub(
            rf"set\(MODULE_PYTHON_{name}.*?\)", f"set(MODULE_PYTHON_{name}{lines}\n  )", text, flags=re.DOTALL
        )
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True, help="rewrite the lists")
    parser.parse_args()
    for each in MODULES:
        write(each)
