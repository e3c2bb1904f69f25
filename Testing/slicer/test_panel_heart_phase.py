"""The heart's phase in the panel: found, shown, moved by hand, used by the reconstruction."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import torch
from panel_driver import PanelDriver

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "methods"))
from tiny_models import tiny_cardiac_vsr

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "cine_sax"


@pytest.fixture
def cine(slicer_host: Any, module: Any) -> Any:
    from DynamicMRIReconSlicer import sequences

    return sequences.fromSeries(io.read(SAMPLE), "Cine").sequence


def start(panel: PanelDriver, cine: Any) -> None:
    panel.choose_method("cardiac-vsr")
    panel.ui.inputSelector.setCurrentNode(cine)
    assert panel.ui.findPhaseButton.isEnabled()


def drag(row: int, time_s: float) -> None:
    """What the plot view does when a point is moved along the time axis."""
    from DynamicMRIReconSlicer import heartPhase

    marks = heartPhase.marksShown()
    marks.GetTable().GetColumnByName(heartPhase.TIME).SetValue(row, time_s)
    marks.GetTable().Modified()
    marks.Modified()


def test_found_shown_and_moved(panel: PanelDriver, cine: Any) -> None:
    from DynamicMRIReconSlicer import heartPhase

    series = io.read(SAMPLE)
    start(panel, cine)
    panel.ui.findPhaseButton.click()
    said = panel.text("phaseLabel")
    assert "from the trigger times" in said or "from the images" in said
    assert "Heartbeats in 20 frames: 1." in said
    frames = panel.widget.panel.phase.find()
    assert frames is not None
    marks = heartPhase.marksShown()
    at = slicer.util.arrayFromTableColumn(marks, heartPhase.TIME)
    np.testing.assert_allclose(
        at, np.interp([frames.ed_frame, frames.es_frame], np.arange(20), series.times_s), atol=1e-6
    )
    assert marks.GetColumnUnitLabel(heartPhase.TIME) == "s"
    form = panel.widget.panel.method.form
    assert form.values()["es_frame"] is None, "what was found stays automatic"
    drag(1, float(series.times_s[9]) + 0.01)
    assert panel.wait(lambda: form.values()["es_frame"] == 9, 5), panel.text("phaseLabel")
    assert form.values()["ed_frame"] is None
    assert "End systole: frame 9" in panel.text("phaseLabel")
    assert "as given" in panel.text("phaseLabel")
    assert slicer.util.arrayFromTableColumn(marks, heartPhase.TIME)[1] == pytest.approx(series.times_s[9], abs=1e-6)
    form.setValues({"es_frame": 5})
    panel.widget.panel.update()
    assert slicer.util.arrayFromTableColumn(marks, heartPhase.TIME)[1] == pytest.approx(series.times_s[5], abs=1e-6)
    views = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")
    shown = [view for view in views if view.GetPlotChartNodeID() == "" or view.GetPlotChartNode() is not None]
    assert any(view.GetEnablePointMoveAlongX() and not view.GetEnablePointMoveAlongY() for view in shown)
    panel.choose_method("bicubic")
    assert panel.ui.phaseWidget.isHidden()


def test_an_end_systole_that_the_images_do_not_tell_is_called_assumed(panel: PanelDriver, slicer_host: Any) -> None:
    from DynamicMRIReconSlicer import heartPhase, sequences

    series = io.read(SAMPLE)
    late = ImageSeries(np.roll(series.array, 10, axis=0), series.affine, series.times_s)
    start(panel, sequences.fromSeries(late, "Late").sequence)
    found = panel.widget.panel.phase.find()
    panel.widget.panel.method.form.setValues({"ed_frame": round(found.es_frame)})
    panel.ui.findPhaseButton.click()
    said = panel.text("phaseLabel")
    assert "as given" in said
    assert "assumed" in said
    at = slicer.util.arrayFromTableColumn(heartPhase.marksShown(), heartPhase.TIME)
    assert (at >= series.times_s[0] - 1e-6).all()
    assert (at <= series.times_s[-1] + 1e-6).all()


def test_what_does_not_move_has_no_phase(panel: PanelDriver) -> None:
    from DynamicMRIReconSlicer import heartPhase, sequences

    still = ImageSeries(np.ones((6, 1, 16, 16), np.float32), np.eye(4), np.arange(6) / 20)
    start(panel, sequences.fromSeries(still, "Still").sequence)
    panel.ui.findPhaseButton.click()
    assert panel.text("phaseLabel") == "Nothing moves in this series: no cardiac phase was found."
    assert heartPhase.marksShown() is None


def test_one_button_makes_a_finer_sequence_in_the_same_browser(panel: PanelDriver, cine: Any, tmp_path: Path) -> None:
    from DynamicMRIReconSlicer import sequenceReader

    torch.manual_seed(0)
    start(panel, cine)
    panel.parameter("weights").setText(str(tiny_cardiac_vsr(tmp_path, 2, idle=True)))
    result = panel.reconstruct()
    assert panel.error_shown() == ""
    finer, given = sequenceReader.toSeries(result), sequenceReader.toSeries(cine)
    assert finer.array.shape[-2:] == tuple(2 * n for n in given.array.shape[-2:])
    np.testing.assert_allclose(finer.geometry.spacing_mm[:2], given.geometry.spacing_mm[:2] / 2)
    np.testing.assert_allclose(finer.times_s, given.times_s, atol=1e-6)
    from DynamicMRIReconSlicer import sequences

    browser, proxy = sequences.browserOf(result), sequences.proxyOf(cine)
    assert browser.IsSynchronizedSequenceNode(cine, True), "one browser plays both"
    assert browser.GetProxyNode(cine) is proxy, "in the volume that showed it already"
    browser.SetSelectedItemNumber(7)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    np.testing.assert_allclose(slicer.util.arrayFromVolume(proxy), given.array[7])
    np.testing.assert_allclose(slicer.util.arrayFromVolume(sequences.proxyOf(result)), finer.array[7])


def test_the_phase_goes_with_the_scene(panel: PanelDriver, cine: Any) -> None:
    start(panel, cine)
    panel.ui.findPhaseButton.click()
    assert panel.text("phaseLabel")
    panel.host.clear_scene()
    panel.widget.enter()
    assert panel.text("phaseLabel") == ""
