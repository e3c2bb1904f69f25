"""Line profile from the panel: M-mode volume, tables with units, charts with titled axes, live update."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scans
import slicer
import vtk


@pytest.fixture
def measured(panel: Any) -> Any:
    """A series in the scene with a line across its moving border, and the profile computed by the button."""
    from DynamicMRIReconSlicer import sequences

    nodes = sequences.fromSeries(scans.images(frames=8), "Object")
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Border line")
    line.CreateDefaultDisplayNodes()
    for index in ((14.0, 12.0), (14.0, 29.0)):
        line.AddControlPointWorld(vtk.vtkVector3d(*scans.geometry(32).to_ras((*index, 0.0))), "p")
    panel.ui.profileSequenceSelector.setCurrentNode(nodes.sequence)
    panel.ui.profileLineSelector.setCurrentNode(line)
    assert panel.ui.computeProfileButton.isEnabled(), panel.ui.computeProfileButton.property("toolTip")
    panel.ui.computeProfileButton.click()
    return line


def _volume() -> Any:
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return next(v for v in volumes if v.GetAttribute("DynamicMRIRecon.SecondsPerColumn"))


def _table(role: str) -> Any:
    return _volume().GetNodeReference(role)


def test_mmode_volume_shows_position_over_time(panel: Any, measured: Any) -> None:
    volume = _volume()
    picture = slicer.util.arrayFromVolume(volume)
    assert picture.shape[0] == 1
    assert picture.shape[2] == 8
    assert float(volume.GetAttribute("DynamicMRIRecon.SecondsPerColumn")) == pytest.approx(scans.FRAME_TIME_S, rel=1e-3)
    step_mm = float(volume.GetAttribute("DynamicMRIRecon.MillimetresPerRow"))
    assert picture.shape[1] * step_mm == pytest.approx(17 * 3.75 + step_mm, rel=0.02)
    border = (picture[0] > 50).sum(axis=0)
    assert border[4] == border.max()
    assert border[0] < border[1] < border[4] > border[7]


def test_tables_have_units_and_follow_the_border(panel: Any, measured: Any) -> None:
    table = _table("DynamicMRIRecon.EdgeTable")
    assert table.GetColumnUnitLabel("time") == "s"
    assert table.GetColumnUnitLabel("edge position") == "mm"
    times = slicer.util.arrayFromTableColumn(table, "time")
    np.testing.assert_allclose(times, scans.images(frames=8).times_s, atol=1e-6)
    edge = slicer.util.arrayFromTableColumn(table, "edge position")
    expected = (np.floor(32 * (0.55 + 0.2 * np.sin(np.pi * np.arange(8) / 8))) + 0.5 - 12) * 3.75
    np.testing.assert_allclose(edge, expected, atol=4.5)
    assert np.isfinite(edge).all()


def test_charts_have_titles_with_units(panel: Any, measured: Any) -> None:
    charts = {chart.GetName(): chart for chart in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")}
    edge = next(chart for name, chart in charts.items() if "dge" in name)
    assert (edge.GetXAxisTitle(), edge.GetYAxisTitle()) == ("Time (s)", "Edge position (mm)")
    assert edge.GetNumberOfPlotSeriesNodes() == 2, "the edge, and marks where it turns"
    titles = {chart.GetYAxisTitle() for chart in charts.values()}
    assert {"Edge velocity (mm/s)", "Edge acceleration (mm/s^2)"} <= titles
    assert any("(mm)" in chart.GetXAxisTitle() for chart in charts.values())
    views = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")
    assert any(view.GetPlotChartNodeID() in {chart.GetID() for chart in charts.values()} for view in views)
    assert "MMode" in slicer.app.layoutManager().sliceViewNames()


def test_velocity_acceleration_and_turns_are_in_the_table(panel: Any, measured: Any) -> None:
    table = _table("DynamicMRIRecon.EdgeTable")
    names = {"edge velocity": "mm/s", "edge acceleration": "mm/s^2", "edge width": "mm", "turning point": "mm"}
    assert {name: table.GetColumnUnitLabel(name) for name in names} == names
    times, edge = (slicer.util.arrayFromTableColumn(table, name) for name in ("time", "edge position"))
    velocity = slicer.util.arrayFromTableColumn(table, "edge velocity")
    np.testing.assert_allclose(velocity, np.gradient(edge, times), rtol=1e-6)
    turns = slicer.util.arrayFromTableColumn(table, "turning point")
    (turn,) = np.flatnonzero(np.isfinite(turns))
    assert turn == 4, "the border is lowest in the middle"
    text = panel.text("profileLabel")
    for words in ("mm/s,", "mm/s²", f"turns at {times[4]:.3f} s", "Edge width (10-90 %)"):
        assert words in text


def test_the_plot_can_be_chosen(panel: Any, measured: Any) -> None:
    view = next(v for v in slicer.util.getNodesByClass("vtkMRMLPlotViewNode") if v.GetLayoutName() == "PlotView1")
    for index, unit in enumerate(("(mm)", "(mm/s)", "(mm/s^2)")):
        panel.ui.profilePlotCombo.setCurrentIndex(index)
        assert slicer.mrmlScene.GetNodeByID(view.GetPlotChartNodeID()).GetYAxisTitle().endswith(unit)


def test_moving_the_line_updates_the_same_nodes(panel: Any, measured: Any) -> None:
    volume, count = _volume(), slicer.mrmlScene.GetNumberOfNodes()
    before = slicer.util.arrayFromVolume(volume).copy()
    measured.SetNthControlPointPositionWorld(0, vtk.vtkVector3d(*scans.geometry(32).to_ras((12.0, 6.0, 0.0))))
    measured.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent)
    assert panel.wait(lambda: slicer.util.arrayFromVolume(volume).shape != before.shape, 5)
    assert slicer.mrmlScene.GetNumberOfNodes() == count


def test_the_profile_follows_while_a_point_is_dragged(panel: Any, measured: Any) -> None:
    """Without waiting for the button to be released; what is computed last is where the point is now."""
    volume = _volume()
    before = slicer.util.arrayFromVolume(volume).shape
    for y in (10.0, 9.0, 8.0, 6.0):
        measured.SetNthControlPointPositionWorld(0, vtk.vtkVector3d(*scans.geometry(32).to_ras((12.0, y, 0.0))))
    assert slicer.util.arrayFromVolume(volume).shape == before, "not once for each of the many events"
    assert panel.wait(lambda: slicer.util.arrayFromVolume(volume).shape != before, 5)
    length = np.linalg.norm(np.diff(slicer.util.arrayFromMarkupsControlPoints(measured, world=True), axis=0))
    rows = slicer.util.arrayFromVolume(volume).shape[1]
    step = float(volume.GetAttribute("DynamicMRIRecon.MillimetresPerRow"))
    assert (rows - 1) * step == pytest.approx(float(length), rel=1e-3)


def test_compute_is_disabled_with_a_reason_without_a_line(panel: Any) -> None:
    assert not panel.ui.computeProfileButton.isEnabled()
    assert len(str(panel.ui.computeProfileButton.property("toolTip"))) > 10


def test_a_line_outside_the_images_is_told_not_measured(panel: Any) -> None:
    from DynamicMRIReconSlicer import sequences

    nodes = sequences.fromSeries(scans.images(), "Object")
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Far away")
    for place in ((900.0, 900.0, 900.0), (950.0, 900.0, 900.0)):
        line.AddControlPointWorld(vtk.vtkVector3d(*place), "p")
    panel.ui.profileSequenceSelector.setCurrentNode(nodes.sequence)
    panel.ui.profileLineSelector.setCurrentNode(line)
    panel.ui.computeProfileButton.click()
    assert panel.wait(lambda: "outside" in panel.text("profileLabel"), 5), panel.text("profileLabel")
    assert slicer.util.getNodesByClass("vtkMRMLPlotChartNode") == []
