"""A reference and warnings: told in the table, beside the result, in the trust view, in the record, after reloading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scans
import slicer
from finished_runs import finished_run
from panel_driver import PanelDriver

from DynamicMRIReconLib import io
from DynamicMRIReconLib.evaluation import evaluate


def column(panel: PanelDriver, title: str) -> list[str]:
    table = panel.ui.resultsTable
    titles = [table.horizontalHeaderItem(index).text() for index in range(table.property("columnCount"))]
    place = titles.index(title)
    assert not table.isColumnHidden(place), f"{title} is hidden"
    return [str(table.item(row, place).text()) for row in range(table.property("rowCount"))]


def test_results_are_compared_with_the_reference_that_was_picked(panel: PanelDriver, scan: Path) -> None:
    from DynamicMRIReconSlicer import provenance, sequenceReader, sequences

    truth = sequences.fromSeries(scans.images(), "Truth").sequence
    panel.choose_method("gridding")
    panel.open_scan(scan)
    panel.ui.referencePathEdit.setCurrentPath("/no/such/truth.nii.gz")
    assert "does not exist" in panel.why_not()
    panel.ui.referenceSelector.setCurrentNode(truth)
    assert panel.ui.referencePathEdit.property("currentPath") == "", "the choice made last counts"
    result = panel.reconstruct()
    expected = evaluate(sequenceReader.toSeries(result), scans.images())
    assert float(column(panel, "PSNR (dB)")[0]) == pytest.approx(expected["psnr_db"]["mean"], abs=0.02)
    assert float(column(panel, "SSIM")[0]) == pytest.approx(expected["ssim"]["mean"], abs=0.002)
    panel.ui.trustButton.click()
    table = result.GetNodeReference("DynamicMRIRecon.TrustResidual")
    told = slicer.util.arrayFromTableColumn(table, "PSNR")
    np.testing.assert_allclose(told, expected["psnr_db"]["per_frame"], atol=0.02)
    assert table.GetColumnUnitLabel("PSNR") == "dB"
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert any(f"PSNR {expected['psnr_db']['mean']:.1f} dB" in chart.GetTitle() for chart in charts)
    assert provenance.referenceOf(result) is truth


def test_a_repeat_compares_with_the_same_reference(panel: PanelDriver, scan: Path, tmp_path: Path) -> None:
    truth = io.write(tmp_path / "truth.nii.gz", scans.images())
    first = panel.logic.reconstruct(scan, "gridding", reference=truth).sequence
    panel.widget.panel.results.refresh(select=first)
    panel.ui.useSettingsButton.click()
    assert panel.ui.referencePathEdit.property("currentPath") == str(truth)
    again = panel.logic.repeat(first).sequence
    metrics = [json.loads(one.GetAttribute("DynamicMRIRecon.History"))["metrics"] for one in (first, again)]
    assert metrics[0] == metrics[1]
    assert metrics[0]["psnr_db"] > 10


def test_a_reference_on_another_grid_is_a_warning_that_stays(panel: PanelDriver, scan: Path, tmp_path: Path) -> None:
    """The result is good whether or not it can be compared; that it could not is seen beside it, also later."""
    from DynamicMRIReconSlicer import sequences

    panel.ui.referenceSelector.setCurrentNode(sequences.fromSeries(scans.images(size=48), "Other").sequence)
    panel.choose_method("gridding")
    panel.open_scan(scan)
    result = panel.reconstruct()
    sentence = "could not be compared with the reference"
    assert sentence in panel.text("runWarningsLabel")
    _check_warned(panel, result, sentence)
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    panel.widget.enter()
    _check_warned(panel, panel.widget.panel.results.current(), sentence)
    other = finished_run(scan, "cg-sense", {}, 1.0)
    panel.widget.panel.results.refresh(select=other)
    assert panel.ui.resultWarningsLabel.isHidden(), "the other result had none"


def _check_warned(panel: PanelDriver, result: Any, sentence: str) -> None:
    assert not panel.ui.resultWarningsLabel.isHidden()
    assert sentence in panel.text("resultWarningsLabel")
    assert column(panel, "Warnings") == ["1"]
    assert sentence in panel.ui.resultsTable.item(0, 0).toolTip()
    assert sentence in json.loads(result.GetNodeReference("DynamicMRIRecon.Provenance").GetText())["warnings"][0]
    assert sentence in json.loads(result.GetAttribute("DynamicMRIRecon.Provenance"))["warnings"][0], "files carry it"


def test_the_trust_view_shows_a_classical_result_where_there_is_one(panel: PanelDriver, scan: Path) -> None:
    finished_run(scan, "gridding", {}, 1.0)
    classical = finished_run(scan, "cg-sense", {}, 1.0)
    result = finished_run(scan, "st-inr", {}, 1.0)
    crosshair = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCrosshairNode")
    panel.widget.panel.results.refresh(select=result)
    panel.ui.trustButton.click()
    assert panel.error_shown() == ""
    assert crosshair.GetCrosshairMode() == crosshair.ShowBasic, "one cursor for all views"
    manager = slicer.app.layoutManager()
    assert {name for name in manager.sliceViewNames() if "Trust" in name} == {
        "TrustInput", "TrustClassical", "TrustResult", "TrustDifference",
    }  # fmt: skip
    browser = next(one for one in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode") if "Trust" in one.GetName())
    proxies = [browser.GetProxyNode(one) for one in (classical, result)]
    shown = manager.sliceWidget("TrustClassical").mrmlSliceCompositeNode().GetBackgroundVolumeID()
    assert shown == proxies[0].GetID()
    assert proxies[0].GetDisplayNode() is proxies[1].GetDisplayNode(), "one window and level"
    panel.pick_result(classical)
    panel.ui.trustButton.click()
    assert "TrustClassical" not in manager.sliceViewNames(), "nothing classical besides itself"
