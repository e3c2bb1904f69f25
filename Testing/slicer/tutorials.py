"""The tutorials of ``docs/``, step by step: what their pages tell a person to do, done to the real panel.

A page names its steps in comments (``<!-- step: open -->``); the functions here have the same names and order, which a
test checks. Each step may write the picture that the page shows.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer
import tutorial_stacks
import vtk
from host import compose, window
from panel_driver import PanelDriver

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "Resources" / "SampleData" / "cine_sax"
SPEECH_NOTE = "Simulated vocal tract, simulated acquisition."
CARDIAC_NOTE = "Real cine (Sunnybrook Cardiac Data, CC0), SIMULATED acquisition."
PANEL_WIDTH = 520
#: nothing here is timed: a busy computer takes as long as it takes
LONGEST_S = 1800
#: voxels: from the middle of the left ventricle through the septum into the right one
_SEPTUM = ((141.0, 124.0, 0.0), (111.0, 116.0, 0.0))

Step = Callable[["Tutorial"], None]


class Tutorial:
    """One run through a tutorial.

    Parameters
    ----------
    folder
        Where its files go; must be the current folder, since the page uses relative names.
    pictures
        Where the pictures go.
    """

    def __init__(self, driver: PanelDriver, name: str, folder: Path, pictures: Path) -> None:
        self.driver = driver
        self.ui = driver.ui
        self.name = name
        self.folder = folder
        self.pictures = pictures
        self.note = {"speech": SPEECH_NOTE, "cardiac": CARDIAC_NOTE, "stacks": tutorial_stacks.NOTE}[name]
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


def _trust(tutorial: Tutorial, share: float) -> None:
    tutorial.driver.pick_result(tutorial.result)
    before = len(tutorial.driver.results())
    tutorial.ui.trustButton.click()
    assert tutorial.driver.wait(
        lambda: not tutorial.driver.running() and len(tutorial.driver.results()) > before, LONGEST_S
    )
    assert tutorial.driver.error_shown() == "", tutorial.driver.shown()
    _trust_picture(tutorial, share)


# Speech


def _speech_data(tutorial: Tutorial) -> None:
    from DynamicMRIReconLib.cli import main

    program, *words = shlex.split(tutorial.command())
    assert program == "dynamic-mri-recon"
    assert main(words) == 0


def _speech_open(tutorial: Tutorial) -> None:
    tutorial.driver.open_scan(Path("speech.h5"))
    assert "30 frames" in tutorial.driver.text("infoLabel")
    assert tutorial.driver.widget.panel.method.method["key"] == "grasp", "the panel picks it"
    tutorial.panel_picture("open")


def _speech_look(tutorial: Tutorial) -> None:
    tutorial.ui.quickLookButton.click()
    tutorial.wait()
    assert len(tutorial.driver.results()) == 1


def _speech_reconstruct(tutorial: Tutorial) -> None:
    tutorial.choose(tutorial.ui.presetCombo, "Fast")
    tutorial.ui.reconstructButton.click()
    tutorial.wait()
    tutorial.result = tutorial.driver.widget.panel.results.current()
    assert tutorial.result.GetNumberOfDataNodes() == 30


def _speech_line(tutorial: Tutorial) -> None:
    from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

    tutorial.draw_line(*VocalTractScene(0).profile_line_ras_mm)
    tutorial.choose(tutorial.ui.profileEdgeCombo, "dark to bright")
    tutorial.choose(tutorial.ui.profileMarksCombo, "speech: opening, constriction")
    tutorial.ui.computeProfileButton.click()
    said = tutorial.driver.text("profileLabel")
    assert "The edge moves" in said, said
    tutorial.show_frame(tutorial.browser(tutorial.result.GetName()), 0.3)
    tutorial.window_picture("line")
    _check_tongue()


def _check_tongue() -> None:
    """The motion that the tutorial measures is that of the phantom, about as well as the page says."""
    from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

    table = mmodes()[0].GetNodeReference("DynamicMRIRecon.EdgeTable")
    times, edge = (slicer.util.arrayFromTableColumn(table, name) for name in ("time", "edge position"))
    off = np.abs(edge - VocalTractScene(0).tongue_surface_mm(times))
    pixel = 200 / 84
    assert np.median(off) < 0.5 * pixel, f"{np.median(off):.2f} mm"
    assert np.percentile(off, 90) < 1.5 * pixel, f"{np.percentile(off, 90):.2f} mm"


def _speech_sound(tutorial: Tutorial) -> None:
    from DynamicMRIReconLib.audio import read_textgrid, read_wav, spectrogram

    tutorial.ui.soundCollapsibleButton.setProperty("collapsed", False)
    tutorial.ui.soundPathEdit.setCurrentPath("speech.wav")
    tutorial.ui.labelsPathEdit.setCurrentPath("speech.TextGrid")
    table = mmodes()[0].GetNodeReference("DynamicMRIRecon.LabelTable")
    names = [table.GetTable().GetColumnByName("label").GetValue(i) for i in range(table.GetNumberOfRows())]
    assert "s" in names
    tutorial.window_picture("sound")
    tutorial.ui.soundCollapsibleButton.setProperty("collapsed", True)
    # What the page says of the noise of an s, and of the tongue meanwhile.
    sound, grid = read_wav("speech.wav"), read_textgrid("speech.TextGrid")
    times = np.arange(0.01, sound.duration_s - 0.01, 0.005)
    frequencies, power = spectrogram(sound, times)
    hissing = np.zeros(len(times), bool)
    for one in grid.intervals["segments"]:
        hissing |= (times > one.start_s + 0.02) & (times < one.end_s - 0.02) & (one.label == "s")
    high = power[frequencies > 4000].mean(axis=0)
    assert high[hissing].mean() > high[~hissing].mean() + 10
    edge, when = (
        slicer.util.arrayFromTableColumn(mmodes()[0].GetNodeReference("DynamicMRIRecon.EdgeTable"), name)
        for name in ("edge position", "time")
    )
    said = np.interp(when, times, hissing.astype(float)) > 0.5
    assert np.median(edge[said]) < np.median(edge)


def _speech_trust(tutorial: Tutorial) -> None:
    _trust(tutorial, 0.3)


def _speech_compare(tutorial: Tutorial) -> None:
    tutorial.ui.compareCollapsibleButton.setProperty("collapsed", False)
    tick(tutorial.ui.moreSequencesList, "speech gridding")
    tutorial.choose(tutorial.ui.profilePlotCombo, "velocity (mm/s)")
    tutorial.ui.computeProfileButton.click()
    assert len(mmodes()) == 2
    tutorial.window_picture("compare")


def _speech_export(tutorial: Tutorial) -> None:
    tutorial.driver.pick_result(tutorial.result)
    tutorial.export([".gif", ".csv"])
    name = tutorial.result.GetName()
    edge = (tutorial.folder / "export" / f"{name}.Profile-line.edge.csv").read_text().splitlines()
    assert edge[0].startswith("time_s,edge_mm,velocity_mm_per_s,acceleration_mm_per_s2")
    assert (tutorial.folder / "export" / f"{name}.Profile-line.TextGrid").is_file()
    assert (tutorial.folder / "export" / f"{name}.Profile-line.labels.csv").is_file()
    assert len(edge) == 31
    tutorial.panel_picture("export")


# Cardiac


def _cardiac_open(tutorial: Tutorial) -> None:
    shutil.copytree(SAMPLE, tutorial.folder / SAMPLE.name)
    tutorial.driver.type_path(Path(SAMPLE.name))
    assert tutorial.driver.wait(lambda: "20 frames" in tutorial.driver.text("infoLabel"), 60)


def _cardiac_simulate(tutorial: Tutorial) -> None:
    tutorial.driver.choose_method("cg-sense")
    tutorial.ui.simulateGroup.setChecked(True)
    tutorial.ui.shotsSpin.setValue(21)
    tutorial.ui.coilsSpin.setValue(4)
    assert tutorial.driver.wait(tutorial.driver.can_reconstruct, 30), tutorial.driver.why_not()
    tutorial.panel_picture("simulate")


def _cardiac_reconstruct(tutorial: Tutorial) -> None:
    tutorial.choose(tutorial.ui.presetCombo, "Fast")
    tutorial.ui.reconstructButton.click()
    tutorial.driver.choose_method("locally-low-rank")
    tutorial.choose(tutorial.ui.presetCombo, "Fast")
    assert tutorial.ui.reconstructButton.property("text") == "Add to queue"
    tutorial.ui.reconstructButton.click()
    assert tutorial.driver.wait(lambda: len(tutorial.driver.results()) == 2, LONGEST_S), tutorial.driver.shown()
    tutorial.wait()
    tutorial.result = tutorial.driver.widget.panel.results.current()
    assert "locally-low-rank" in tutorial.result.GetName()


def _cardiac_line(tutorial: Tutorial) -> None:
    import DynamicMRIReconLib as dmr
    from DynamicMRIReconLib import io

    geometry = io.read(SAMPLE).geometry
    tutorial.draw_line(*(geometry.to_ras(end) for end in _SEPTUM))
    tutorial.choose(tutorial.ui.profileEdgeCombo, "bright to dark")
    tutorial.choose(tutorial.ui.profileMarksCombo, "furthest: end diastole")
    tutorial.ui.compareCollapsibleButton.setProperty("collapsed", False)
    tick(tutorial.ui.moreSequencesList, "cine_sax cg-sense")
    tutorial.ui.computeProfileButton.click()
    assert tutorial.driver.text("profileLabel").count("The edge moves") == 2, tutorial.driver.text("profileLabel")
    tutorial.window_picture("line")
    # What the page says of the cine itself and of the smoother of the two methods.
    line = dmr.line_profile(io.read(SAMPLE), geometry.to_ras(_SEPTUM[0]), geometry.to_ras(_SEPTUM[1]), edge="falling")
    assert round(float(np.ptp(line.edges_mm)), 1) == 4.7
    assert [round(turn.time_s, 2) for turn in line.turning_points] == [0.5]
    tables = {one.GetName(): one.GetNodeReference("DynamicMRIRecon.EdgeTable") for one in mmodes()}
    edges = {
        key: slicer.util.arrayFromTableColumn(next(t for name, t in tables.items() if key in name), "edge position")
        for key in ("locally-low-rank", "cg-sense")
    }
    assert abs(int(edges["locally-low-rank"].argmin()) - int(line.edges_mm.argmin())) <= 1
    assert np.ptp(edges["locally-low-rank"]) < np.ptp(line.edges_mm)
    assert abs(np.ptp(edges["locally-low-rank"]) - 2.9) < 0.15
    assert abs(np.ptp(edges["cg-sense"]) - 5.4) < 0.15
    assert np.abs(np.diff(edges["cg-sense"], 2)).mean() > np.abs(np.diff(edges["locally-low-rank"], 2)).mean()


def _cardiac_trust(tutorial: Tutorial) -> None:
    _trust(tutorial, 0.4)
    assert "TrustClassical" in slicer.app.layoutManager().sliceViewNames()
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert any("against the reference: PSNR" in chart.GetTitle() for chart in charts)


def _cardiac_export(tutorial: Tutorial) -> None:
    import DynamicMRIReconLib as dmr

    tutorial.driver.pick_result(tutorial.result)
    tutorial.ui.exportPatientEdit.setCurrentPath(SAMPLE.name)
    tutorial.export([".dicom", ".gif"])
    back = dmr.read(tutorial.folder / "export" / f"{tutorial.result.GetName()}.dicom")
    truth = dmr.read(SAMPLE)
    np.testing.assert_allclose(back.affine, truth.affine, atol=1e-3)
    np.testing.assert_allclose(back.times_s, truth.times_s, atol=1e-3)


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
        "data": _speech_data,
        "open": _speech_open,
        "look": _speech_look,
        "reconstruct": _speech_reconstruct,
        "line": _speech_line,
        "sound": _speech_sound,
        "trust": _speech_trust,
        "compare": _speech_compare,
        "export": _speech_export,
        "save": _save_scene,
    },
    "cardiac": {
        "open": _cardiac_open,
        "simulate": _cardiac_simulate,
        "reconstruct": _cardiac_reconstruct,
        "line": _cardiac_line,
        "trust": _cardiac_trust,
        "export": _cardiac_export,
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
    tutorial = Tutorial(driver, name, folder, pictures)
    for step in STEPS[name].values():
        step(tutorial)
    return sorted(pictures.glob(f"tutorial-{name}-*.png"))
