"""Texts that users read go through ``_`` as Slicer's translation tools find them."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

MODULE = Path(__file__).resolve().parents[3] / "DynamicMRIRecon" / "DynamicMRIReconSlicer"
#: the files that speak to the user
SOURCES = [path for path in sorted(MODULE.glob("*.py")) if "import tr as _" in path.read_text(encoding="utf-8")]
#: what is given to these is read by somebody
SENTENCE = re.compile(r"[a-z]{2,} [a-z].*[.:](\s|$)")
SHOWN = ("setText", "setToolTip", "InputError", "setXAxisTitle", "setYAxisTitle")


def _calls(tree: ast.AST) -> list[ast.Call]:
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return [node for node in named if node.func.id == "_"]  # type: ignore[attr-defined]


def test_there_are_texts_to_translate() -> None:
    assert len(SOURCES) > 25
    assert sum(len(_calls(ast.parse(path.read_text(encoding="utf-8")))) for path in SOURCES) > 150


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_what_is_translated_is_plain_text(path: Path) -> None:
    """No f-string: a translator cannot know what would stand in it."""
    for call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
        assert len(call.args) == 1
        assert isinstance(call.args[0], ast.Constant), ast.unparse(call)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_name_in_a_text_is_given(path: Path) -> None:
    """``_("{a} of {b}").format(a=..., b=...)``: the same names on both sides."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"):
            continue
        if node.func.value not in _calls(node):
            continue
        text = node.func.value.args[0].value  # type: ignore[attr-defined]
        named = {field for _, field, _, _ in string.Formatter().parse(text) if field}
        assert named == {one.arg for one in node.keywords}, text


def _bound(function: ast.AST) -> bool:
    """Whether ``_`` is a local name of a function: then it is no translation there."""
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return "_" in names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_function_hides_it(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
    assert [ast.unparse(one)[:80] for one in functions if _calls(one) and _bound(one)] == []


#: what no user of the module reads: checks of the module itself, and the layouts' XML
UNSEEN = ("selfTest.py", "layout.py")


def _texts_outside(tree: ast.AST) -> list[str]:
    """Texts that stand neither in ``_(...)`` nor in a docstring."""
    inside = {id(one) for call in _calls(tree) for one in ast.walk(call)}
    inside |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [node.value for node in found if id(node) not in inside]


@pytest.mark.parametrize(
    "path", [one for one in sorted(MODULE.glob("*.py")) if one.name not in UNSEEN], ids=lambda path: path.name
)
def test_sentences_given_to_the_user_are_translated(path: Path) -> None:
    """A sentence has a stop or a colon after two words or more; names of columns, nodes and roles have none."""
    bare = [text for text in _texts_outside(ast.parse(path.read_text(encoding="utf-8"))) if SENTENCE.search(text)]
    assert bare == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_what_widgets_show_is_translated(path: Path) -> None:
    bare = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name not in SHOWN:
            continue
        for given in node.args:
            text = given.value if isinstance(given, ast.Constant) else ""
            if isinstance(given, ast.JoinedStr) and isinstance(given.values[0], ast.Constant):
                text = given.values[0].value
            if isinstance(text, str) and " " in text.strip():
                bare.append(ast.unparse(node))
    assert bare == []
