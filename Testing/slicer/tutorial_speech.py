"""The steps of the tutorial on speech; see ``tutorials``."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import slicer
from tutorial_run import Tutorial, mmodes, tick, trust_view

NOTE = "Simulated vocal tract, simulated acquisition."


def data(tutorial: Tutorial) -> None:
    from DynamicMRIReconLib.cli import main

    program, *words = shlex.split(tutorial.command())
    assert program == "dynamic-mri-recon"
    assert main(words) == 0


def open_scan(tutorial: Tutorial) -> None:
    tutorial.driver.open_scan(Path("speech.h5"))
    assert "30 frames" in tutorial.driver.text("infoLabel")
    assert tutorial.driver.widget.panel.method.method["key"] == "grasp", "the panel picks it"
    tutorial.panel_picture("open")


def look(tutorial: Tutorial) -> None:
    tutorial.ui.quickLookButton.click()
    tutorial.wait()
    assert len(tutorial.driver.results()) == 1


def reconstruct(tutorial: Tutorial) -> None:
    tutorial.choose(tutorial.ui.presetCombo, "Fast")
    tutorial.ui.reconstructButton.click()
    tutorial.wait()
    tutorial.result = tutorial.driver.widget.panel.results.current()
    assert tutorial.result.GetNumberOfDataNodes() == 30


def line(tutorial: Tutorial) -> None:
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


def sound(tutorial: Tutorial) -> None:
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


def trust(tutorial: Tutorial) -> None:
    trust_view(tutorial, 0.3)


def compare(tutorial: Tutorial) -> None:
    tutorial.ui.compareCollapsibleButton.setProperty("collapsed", False)
    tick(tutorial.ui.moreSequencesList, "speech gridding")
    tutorial.choose(tutorial.ui.profilePlotCombo, "velocity (mm/s)")
    tutorial.ui.computeProfileButton.click()
    assert len(mmodes()) == 2
    tutorial.window_picture("compare")


def export(tutorial: Tutorial) -> None:
    tutorial.driver.pick_result(tutorial.result)
    tutorial.export([".gif", ".csv"])
    name = tutorial.result.GetName()
    edge = (tutorial.folder / "export" / f"{name}.Profile-line.edge.csv").read_text().splitlines()
    assert edge[0].startswith("time_s,edge_mm,velocity_mm_per_s,acceleration_mm_per_s2")
    assert (tutorial.folder / "export" / f"{name}.Profile-line.TextGrid").is_file()
    assert (tutorial.folder / "export" / f"{name}.Profile-line.labels.csv").is_file()
    assert len(edge) == 31
    tutorial.panel_picture("export")
