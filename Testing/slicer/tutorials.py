"""The tutorials of ``docs/``, step by step: what their pages tell a person to do, done to the real panel.

A page names its steps in comments (``<!-- step: open -->``); the steps here have the same names and order, which a
test checks. Each step may write the picture that the page shows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import slicer
import tutorial_cardiac
import tutorial_speech
import tutorial_stacks
from panel_driver import PanelDriver
from tutorial_run import ROOT, Tutorial

__all__ = ["ROOT", "STEPS", "run"]

Step = Callable[[Tutorial], None]
NOTES = {"speech": tutorial_speech.NOTE, "cardiac": tutorial_cardiac.NOTE, "stacks": tutorial_stacks.NOTE}


def _save_scene(tutorial: Tutorial) -> None:
    before = tutorial.driver.results()
    path = str(tutorial.folder / "tutorial.mrb")
    tutorial.driver.widget.exit()
    assert slicer.util.saveScene(path)
    tutorial.driver.host.clear_scene()
    slicer.util.loadScene(path)
    tutorial.driver.widget.enter()
    assert tutorial.driver.results() == before


STEPS: dict[str, dict[str, Step]] = {
    "speech": {
        "data": tutorial_speech.data,
        "open": tutorial_speech.open_scan,
        "look": tutorial_speech.look,
        "reconstruct": tutorial_speech.reconstruct,
        "line": tutorial_speech.line,
        "sound": tutorial_speech.sound,
        "trust": tutorial_speech.trust,
        "compare": tutorial_speech.compare,
        "export": tutorial_speech.export,
        "save": _save_scene,
    },
    "cardiac": {
        "open": tutorial_cardiac.open_cine,
        "simulate": tutorial_cardiac.simulate,
        "reconstruct": tutorial_cardiac.reconstruct,
        "line": tutorial_cardiac.line,
        "trust": tutorial_cardiac.trust,
        "export": tutorial_cardiac.export,
        "save": _save_scene,
    },
    "stacks": {
        "load": tutorial_stacks.load,
        "tick": tutorial_stacks.tick,
        "register": tutorial_stacks.register,
        "reconstruct": tutorial_stacks.reconstruct,
        "compare": tutorial_stacks.compare,
        "save": _save_scene,
    },
}


def run(driver: PanelDriver, name: str, folder: Path, pictures: Path) -> list[Path]:
    """Do every step of a tutorial; gives the pictures that its page shows."""
    tutorial = Tutorial(driver, name, folder, pictures, NOTES[name])
    for step in STEPS[name].values():
        step(tutorial)
    return sorted(pictures.glob(f"tutorial-{name}-*.png"))
