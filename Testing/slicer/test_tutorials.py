"""The tutorials are done step by step, as their pages say; their pictures are what comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tutorials
from host import render
from PySide6.QtGui import QImage

PAGES = {name: (tutorials.ROOT / "docs" / f"tutorial-{name}.md") for name in tutorials.STEPS}


def shown(page: Path) -> set[str]:
    return set(re.findall(r"\(pictures/([\w-]+\.png)\)", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", PAGES)
def test_the_page_has_the_steps_in_their_order(name: str) -> None:
    told = re.findall(r"<!-- step: (\w+) -->\n## \d+\. ", PAGES[name].read_text(encoding="utf-8"))
    assert told == list(tutorials.STEPS[name])


@pytest.mark.parametrize("name", PAGES)
def test_what_is_to_be_pressed_is_there(panel: Any, name: str) -> None:
    """Every bold name in a step is a text of the panel, letter by letter."""
    import qt

    texts = set()
    for widget in panel.representation.findChildren(
        qt.QObject.qt_class if hasattr(qt.QObject, "qt_class") else qt.QObject
    ):
        for key in ("text", "title"):
            value = widget.property(key)
            if isinstance(value, str):
                texts.add(value)
    steps = PAGES[name].read_text(encoding="utf-8").split("<!-- step: ", 1)[1]
    bold = {" ".join(one.split()) for one in re.findall(r"\*\*(.+?)\*\*", steps, re.DOTALL)}
    assert bold
    assert bold - texts == set()


@pytest.mark.slow
@pytest.mark.skipif(render.rendering_missing() is not None, reason=str(render.rendering_missing()))
@pytest.mark.parametrize("name", PAGES)
def test_every_step_works(panel: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, pictures = tmp_path / "work", tmp_path / "pictures"
    folder.mkdir()
    monkeypatch.chdir(folder)
    written = tutorials.run(panel, name, folder, pictures)
    assert {path.name for path in written} == shown(PAGES[name])
    for path in written:
        image = QImage(str(path))
        assert image.width() >= 520
        assert image.height() >= 600


@pytest.mark.parametrize("name", PAGES)
def test_the_pictures_of_the_page_are_in_docs(name: str) -> None:
    for picture in shown(PAGES[name]):
        assert (tutorials.ROOT / "docs" / "pictures" / picture).is_file()
