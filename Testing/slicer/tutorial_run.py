"""One run through a tutorial: what the steps of all of them need; see ``tutorials``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from host import compose, window
from panel_driver import PanelDriver

ROOT = Path(__file__).resolve().parents[2]
PANEL_WIDTH = 520
#: nothing here is timed: a busy computer takes as long as it takes
LONGEST_S = 1800


class Tutorial:
    """One run through a tutorial.

    Parameters
    ----------
    folder
        Where its files go; must be the current folder, since the page uses relative names.
    pictures
        Where the pictures go.
    note
        What the pictures say of their data.
    """

    def __init__(self, driver: PanelDriver, name: str, folder: Path, pictures: Path, note: str) -> None:
        self.driver = driver
        self.ui = driver.ui
        self.name = name
        self.folder = folder
        self.pictures = pictures
        self.note = note
        self.result: Any = None

    def page(self) -> str:
        """The tutorial's text."""
        return (ROOT / "docs" / f"tutorial-{self.name}.md").read_text(encoding="utf-8")

    def command(self) -> str:
        """The first command that the page shows."""
        block = re.search(r"```sh\n(.*?)```", self.page(), re.DOTALL)
        assert block is not None
        return block[1].replace("\\\n", " ").strip()

    def picture(self, step: str) -> Path:
        return self.pictures / f"tutorial-{self.name}-{step}.png"

    def panel_picture(self, step: str) -> None:
        compose.save(compose.grab(self.driver.representation, PANEL_WIDTH), self.picture(step))

    def window_picture(self, step: str) -> None:
        """The whole window: the movie, the M-modes, the chart."""
        proxy = slicer.mrmlScene.GetNodeByID(
            slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID()
        )
        plot = next(
            one for one in slicer.util.getNodesByClass("vtkMRMLPlotViewNode") if one.GetLayoutName() == "PlotView1"
        )
        window.window_picture(
            self.driver.representation,
            self.picture(step),
            volume=proxy,
            mmode_volume=mmodes(),
            chart=slicer.mrmlScene.GetNodeByID(plot.GetPlotChartNodeID()),
            note=self.note,
        )

    def draw_line(self, first: Any, second: Any) -> None:
        """Press Draw line and click two points."""
        self.ui.drawLineButton.click()
        line = self.ui.profileLineSelector.currentNode()
        for point in (first, second):
            line.AddControlPointWorld(vtk.vtkVector3d(*(float(v) for v in point)), "")
        line.GetDisplayNode().SetPointLabelsVisibility(False)

    def choose(self, combo: Any, text: str) -> None:
        index = combo.findText(text)
        assert index >= 0, f"{text!r} is not offered"
        combo.setCurrentIndex(index)

    def wait(self) -> None:
        """Until what runs has ended well."""
        assert self.driver.wait(lambda: not self.driver.running(), LONGEST_S), self.driver.shown()
        self.driver.host.app.processEvents()
        assert self.driver.error_shown() == "", self.driver.shown()

    def show_frame(self, browser: Any, share: float) -> None:
        browser.SetSelectedItemNumber(round(share * (browser.GetNumberOfItems() - 1)))

    def browser(self, beginning: str) -> Any:
        browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
        return next(one for one in browsers if one.GetName().startswith(beginning))

    def export(self, suffixes: list[str]) -> str:
        """Unfold Export, tick formats, press the button."""
        self.ui.exportCollapsibleButton.setProperty("collapsed", False)
        (self.folder / "export").mkdir()
        self.driver.widget.panel.export.setSuffixes(suffixes)
        self.ui.exportFolderEdit.setCurrentPath(str(self.folder / "export"))
        self.ui.exportButton.click()
        assert self.driver.wait(lambda: not self.driver.widget.panel.export.running, 120)
        said = self.driver.text("exportLabel")
        assert said.startswith("Written to"), said
        return said


def mmodes() -> list[Any]:
    """The M-mode volumes of the scene."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [volume for volume in volumes if volume.GetAttribute("DynamicMRIRecon.SecondsPerColumn")]


def tick(widget: Any, name: str) -> None:
    """Tick an entry of a list."""
    (item,) = widget.findItems(name, qt.Qt.MatchExactly)
    item.setCheckState(qt.Qt.Checked)


def _trust_picture(tutorial: Tutorial, share: float) -> None:
    browser = tutorial.browser("Trust view")
    tutorial.show_frame(browser, share)
    manager = slicer.app.layoutManager()
    volumes = {
        name: slicer.mrmlScene.GetNodeByID(manager.sliceWidget(name).mrmlSliceCompositeNode().GetBackgroundVolumeID())
        for name in manager.sliceViewNames()
        if name.startswith("Trust")
    }
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    chart = next(one for one in charts if one.GetTitle().startswith("Unexplained"))
    window.trust_picture(tutorial.driver.representation, tutorial.picture("trust"), volumes, chart, note=tutorial.note)


def trust_view(tutorial: Tutorial, share: float) -> None:
    tutorial.driver.pick_result(tutorial.result)
    before = len(tutorial.driver.results())
    tutorial.ui.trustButton.click()
    assert tutorial.driver.wait(
        lambda: not tutorial.driver.running() and len(tutorial.driver.results()) > before, LONGEST_S
    )
    assert tutorial.driver.error_shown() == "", tutorial.driver.shown()
    _trust_picture(tutorial, share)
