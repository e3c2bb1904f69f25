"""The steps of the tutorial on a beating heart; see ``tutorials``."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import slicer
from tutorial_run import LONGEST_S, ROOT, Tutorial, mmodes, tick, trust_view

SAMPLE = ROOT / "Resources" / "SampleData" / "cine_sax"
NOTE = "Real cine (Sunnybrook Cardiac Data, CC0), SIMULATED acquisition."
#: voxels: from the middle of the left ventricle through the septum into the right one
_SEPTUM = ((141.0, 124.0, 0.0), (111.0, 116.0, 0.0))


def open_cine(tutorial: Tutorial) -> None:
    shutil.copytree(SAMPLE, tutorial.folder / SAMPLE.name)
    tutorial.driver.type_path(Path(SAMPLE.name))
    assert tutorial.driver.wait(lambda: "20 frames" in tutorial.driver.text("infoLabel"), 60)


def simulate(tutorial: Tutorial) -> None:
    tutorial.driver.choose_method("cg-sense")
    tutorial.ui.simulateGroup.setChecked(True)
    tutorial.ui.shotsSpin.setValue(21)
    tutorial.ui.coilsSpin.setValue(4)
    assert tutorial.driver.wait(tutorial.driver.can_reconstruct, 30), tutorial.driver.why_not()
    tutorial.panel_picture("simulate")


def reconstruct(tutorial: Tutorial) -> None:
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


def line(tutorial: Tutorial) -> None:
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


def trust(tutorial: Tutorial) -> None:
    trust_view(tutorial, 0.4)
    assert "TrustClassical" in slicer.app.layoutManager().sliceViewNames()
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert any("against the reference: PSNR" in chart.GetTitle() for chart in charts)


def export(tutorial: Tutorial) -> None:
    import DynamicMRIReconLib as dmr

    tutorial.driver.pick_result(tutorial.result)
    tutorial.ui.exportPatientEdit.setCurrentPath(SAMPLE.name)
    tutorial.export([".dicom", ".gif"])
    back = dmr.read(tutorial.folder / "export" / f"{tutorial.result.GetName()}.dicom")
    truth = dmr.read(SAMPLE)
    np.testing.assert_allclose(back.affine, truth.affine, atol=1e-3)
    np.testing.assert_allclose(back.times_s, truth.times_s, atol=1e-3)
