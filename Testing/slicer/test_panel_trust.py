"""The trust view: input, result and difference in one browser and one window, and the data's own verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scans
import slicer
from finished_runs import finished_run
from panel_driver import PanelDriver


def frames(sequence: Any) -> np.ndarray:
    count = sequence.GetNumberOfDataNodes()
    return np.stack([slicer.util.arrayFromVolume(sequence.GetNthDataNode(i)) for i in range(count)])


def view(name: str) -> Any:
    return slicer.app.layoutManager().sliceWidget(name).mrmlSliceCompositeNode()


def test_from_k_space_to_the_trust_view(panel: PanelDriver, scan: Path) -> None:
    """One press: gridding is reconstructed because it is missing, then all is shown."""
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    panel.parameter("iterations").setValue(3)
    result = panel.reconstruct()
    panel.ui.trustButton.click()
    assert panel.wait(lambda: not panel.running() and len(panel.results()) == 2, 60), panel.shown()
    assert panel.error_shown() == ""
    browser = next(one for one in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode") if "Trust" in one.GetName())
    shown = [slicer.mrmlScene.GetNodeByID(view(f"Trust{name}").GetBackgroundVolumeID()) for name in
             ("Input", "Result", "Difference")]  # fmt: skip
    by_proxy = {browser.GetProxyNode(one): one for one in slicer.util.getNodesByClass("vtkMRMLSequenceNode")}
    given, middle, difference = (by_proxy[proxy] for proxy in shown)
    assert (given.GetAttribute("DynamicMRIRecon.Method"), middle) == ("gridding", result)
    factor = (frames(result) * frames(given)).sum() / (frames(given).astype(float) ** 2).sum()
    np.testing.assert_allclose(frames(difference), frames(result) - factor * frames(given), atol=1e-3)
    browser.SetSelectedItemNumber(4)
    for proxy in shown:
        np.testing.assert_allclose(slicer.util.arrayFromVolume(proxy), frames(by_proxy[proxy])[4])
    assert shown[0].GetDisplayNode() is shown[1].GetDisplayNode(), "one window and level for both"
    low, high = shown[2].GetDisplayNode().GetWindowLevelMin(), shown[2].GetDisplayNode().GetWindowLevelMax()
    assert low == pytest.approx(-high)
    assert all(view(f"Trust{name}").GetLinkedControl() for name in ("Input", "Result", "Difference"))
    _check_residual(result)
    assert panel.widget.panel.results.current() is result
    by_name = {row[0]: row for row in panel.results()}
    misfit = float(by_name[result.GetName()][-1])
    residual = slicer.util.arrayFromTableColumn(result.GetNodeReference("DynamicMRIRecon.TrustResidual"), "residual")
    assert misfit == pytest.approx(residual.mean(), abs=0.06)


def _check_residual(result: Any) -> None:
    table = result.GetNodeReference("DynamicMRIRecon.TrustResidual")
    assert (table.GetColumnUnitLabel("time"), table.GetColumnUnitLabel("residual")) == ("s", "%")
    residual = slicer.util.arrayFromTableColumn(table, "residual")
    np.testing.assert_allclose(slicer.util.arrayFromTableColumn(table, "time"), scans.images().times_s, atol=1e-6)
    assert ((residual > 0) & (residual < 20)).all(), residual
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    chart = next(one for one in charts if one.GetNthPlotSeriesNode(0).GetTableNode() is table)
    plots = {one.GetPlotChartNodeID() for one in slicer.util.getNodesByClass("vtkMRMLPlotViewNode")}
    assert chart.GetID() in plots
    assert chart.GetYAxisTitle().endswith("(%)")


def test_a_second_press_makes_no_second_nodes(panel: PanelDriver, scan: Path) -> None:
    finished_run(scan, "gridding", {}, 1.0)
    result = finished_run(scan, "cg-sense", {"iterations": 3}, 1.0)
    panel.widget.panel.results.refresh(select=result)
    panel.ui.trustButton.click()
    assert not panel.running(), "the gridding is there already"
    count = slicer.mrmlScene.GetNumberOfNodes()
    panel.ui.trustButton.click()
    assert slicer.mrmlScene.GetNumberOfNodes() == count
    assert len(panel.results()) == 2, "the difference is no result"


def test_what_cannot_be_subtracted_says_why(panel: PanelDriver, scan: Path) -> None:
    from DynamicMRIReconSlicer import sequences, trustView

    from DynamicMRIReconLib.errors import InputError

    result = finished_run(scan, "cg-sense", {}, 1.0)
    other = sequences.fromSeries(scans.images(frames=5), "Shorter").sequence
    with pytest.raises(InputError, match="line profiles instead"):
        trustView.show(result, other)
    text = result.GetNodeReference("DynamicMRIRecon.Provenance")
    slicer.mrmlScene.RemoveNode(text)
    panel.widget.panel.results.refresh(select=result)
    panel.ui.trustButton.click()
    assert "does not say how it was made" in panel.error_shown()


def test_it_comes_back_with_the_scene(panel: PanelDriver, scan: Path, tmp_path: Path) -> None:
    finished_run(scan, "gridding", {}, 1.0)
    result = finished_run(scan, "cg-sense", {"iterations": 3}, 1.0)
    panel.widget.panel.results.refresh(select=result)
    panel.ui.trustButton.click()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    panel.widget.enter()
    count = slicer.mrmlScene.GetNumberOfNodes()
    panel.pick_result(slicer.util.getFirstNodeByClassByName("vtkMRMLSequenceNode", "tiny cg-sense"))
    panel.ui.trustButton.click()
    assert panel.error_shown() == ""
    assert slicer.mrmlScene.GetNumberOfNodes() == count
