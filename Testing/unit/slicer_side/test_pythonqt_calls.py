"""Calls that PySide6 takes and PythonQt, Slicer's binding, refuses: scanned for in the module's sources.

In PythonQt Qt properties are attributes: ``spin.value()`` raises "'int' object is not callable". Setters that are
neither slots nor of Qt itself, such as ``ctkCollapsibleButton.setCollapsed``, do not exist.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[3] / "DynamicMRIRecon"
SOURCES = sorted(MODULE.rglob("*.py"))

#: getters of Qt, ctk and qMRML properties; our own classes give their methods other names, so that nothing is let pass
PROPERTIES = frozenset(
    [
        "value", "text", "count", "currentText", "currentIndex", "currentPath", "currentRow", "currentNodeID",
        "currentColor", "currentData", "rowCount", "columnCount", "checked", "collapsed", "enabled", "visible",
        "toolTip", "title", "windowTitle", "minimum", "maximum", "singleStep", "decimals", "suffix", "prefix",
        "plainText", "objectName", "size", "width", "height", "pos", "geometry", "readOnly", "placeholderText",
        "icon", "styleSheet", "pixmap", "directory", "nodeTypes", "noneEnabled", "addEnabled", "specialValueText",
        "maxVisibleItems", "filters", "nameFilters", "isEditable", "alignment", "wordWrap", "minimumValue",
        "maximumValue",
    ]
)  # fmt: skip
#: setters of ctk and qMRML widgets that are not slots
MISSING_SETTERS = frozenset(
    [
        "setCollapsed", "setNodeTypes", "setNoneEnabled", "setAddEnabled", "setRemoveEnabled", "setRenameEnabled",
        "setShowHidden", "setNameFilters", "setFilters", "setSettingKey",
    ]
)  # fmt: skip


def refused(source: str) -> list[tuple[int, str]]:
    """Line and text of each call that PythonQt would refuse."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        if not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr
        getter = name in PROPERTIES and not node.args and not node.keywords
        if getter or name in MISSING_SETTERS:
            found.append((node.lineno, ast.unparse(node)))
    # bytes(QByteArray) fails as well, and str(QByteArray) is no text.
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("bytes", "str")
            and node.args
            and isinstance(node.args[0], ast.Call)
            and isinstance(node.args[0].func, ast.Attribute)
            and node.args[0].func.attr.startswith("readAll")
        ):
            found.append((node.lineno, ast.unparse(node)))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(MODULE)) for path in SOURCES])
def test_no_call_that_pythonqt_refuses(path: Path) -> None:
    assert refused(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "planted",
    [
        "n = self.ui.seedSpin.value()",
        "t = edit.text().strip()",
        "for i in range(combo.count()): pass",
        "self.ui.logCollapsibleButton.setCollapsed(True)",
        "b = bytes(process.readAllStandardOutput())",
        "if a and not ui.box.checked(): pass",
    ],
)
def test_the_scan_finds_what_it_looks_for(planted: str) -> None:
    assert len(refused(planted)) == 1


@pytest.mark.parametrize(
    "allowed",
    [
        "n = self.ui.seedSpin.property('value')",
        "box.isChecked(); combo.itemText(2); combo.itemData(0)",
        "spin.setValue(3); edit.setText('a'); button.setProperty('collapsed', True)",
        "names.count('a'); 'abc'.count('b')",
        "data = process.readAllStandardOutput().data()",
    ],
)
def test_the_scan_lets_pass_what_works(allowed: str) -> None:
    assert refused(allowed) == []


def test_there_is_something_to_scan() -> None:
    assert len(SOURCES) > 15
    assert MODULE / "DynamicMRIRecon.py" in SOURCES
