"""Several lines, curves, sequences and regions at once; synthetic frames hatched; all of it saved with the scene."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qt
import scans
import slicer
import vtk

from DynamicMRIReconLib.data import ImageSeries


def place(x: float, y: float) -> Any:
    return vtk.vtkVector3d(*scans.geometry(32).to_ras((x, y, 0.0)))


def markup(kind: str, name: str, *points: tuple[float, float]) -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass(f"vtkMRMLMarkups{kind}Node", name)
    node.CreateDefaultDisplayNodes()
    for x, y in points:
        node.AddControlPointWorld(place(x, y), "p")
    return node


def tick(widget: Any, name: str) -> None:
    (item,) = widget.findItems(name, qt.Qt.MatchExactly)
    item.setCheckState(qt.Qt.Checked)


@pytest.fixture
def two(panel: Any) -> Any:
    """The object, and the same at half its brightness with every other frame synthetic; a line across its border."""
    from DynamicMRIReconSlicer import sequences

    series = scans.images(frames=8)
    first = sequences.fromSeries(series, "Input").sequence
    flags = np.arange(8) % 2 == 1
    other = ImageSeries(0.5 * series.array, series.affine, series.times_s, flags)
    second = sequences.fromSeries(other, "Result").sequence
    line = markup("Line", "Border", (14, 12), (14, 29))
    panel.ui.profileSequenceSelector.setCurrentNode(first)
    panel.ui.profileLineSelector.setCurrentNode(line)
    return first, second, line


def mmodes() -> list[Any]:
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [volume for volume in volumes if volume.GetAttribute("DynamicMRIRecon.SecondsPerColumn")]


def test_input_and_result_along_two_lines_in_one_chart(panel: Any, two: Any) -> None:
    curve = markup("Curve", "Bent", (18, 10), (18, 20), (17, 29))
    tick(panel.ui.moreSequencesList, "Result")
    tick(panel.ui.moreLinesList, "Bent")
    panel.ui.computeProfileButton.click()
    assert len(mmodes()) == 4
    view = next(v for v in slicer.util.getNodesByClass("vtkMRMLPlotViewNode") if v.GetLayoutName() == "PlotView1")
    for index, unit in enumerate(("mm", "mm/s", "mm/s^2")):
        panel.ui.profilePlotCombo.setCurrentIndex(index)
        chart = slicer.mrmlScene.GetNodeByID(view.GetPlotChartNodeID())
        names = {chart.GetNthPlotSeriesNode(i).GetName() for i in range(chart.GetNumberOfPlotSeriesNodes())}
        assert names == {"Input, Border", "Input, Bent", "Result, Border", "Result, Bent"}
        assert chart.GetYAxisTitle().endswith(f"({unit})")
        assert chart.GetLegendVisibility()
    shown = slicer.app.layoutManager().sliceViewNames()
    assert {"MMode", "MMode2", "MMode3", "MMode4"} <= set(shown)
    assert panel.text("profileLabel").count("The edge moves") == 4
    count = slicer.mrmlScene.GetNumberOfNodes()
    panel.ui.computeProfileButton.click()
    assert slicer.mrmlScene.GetNumberOfNodes() == count, "a second computation made new nodes"
    length = curve.GetCurveLengthWorld()
    picture = next(v for v in mmodes() if v.GetNodeReference("DynamicMRIRecon.Line") is curve)
    rows = slicer.util.arrayFromVolume(picture).shape[1]
    step = float(picture.GetAttribute("DynamicMRIRecon.MillimetresPerRow"))
    assert (rows - 1) * step == pytest.approx(length, rel=1e-3)


def test_moving_any_of_the_lines_updates_all(panel: Any, two: Any) -> None:
    other = markup("Line", "Second", (18, 12), (18, 29))
    tick(panel.ui.moreLinesList, "Second")
    panel.ui.computeProfileButton.click()
    volume = next(v for v in mmodes() if v.GetNodeReference("DynamicMRIRecon.Line") is other)
    before = slicer.util.arrayFromVolume(volume).shape
    other.SetNthControlPointPositionWorld(0, place(18, 5))
    other.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent)
    assert slicer.util.arrayFromVolume(volume).shape != before


def test_synthetic_frames_are_hatched_and_do_not_count(panel: Any, two: Any) -> None:
    _, result, _ = two
    panel.ui.profileSequenceSelector.setCurrentNode(result)
    panel.ui.computeProfileButton.click()
    (volume,) = mmodes()
    hatch = volume.GetNodeReference("DynamicMRIRecon.Hatch")
    labels = slicer.util.arrayFromVolume(hatch)[0]
    rows, columns = slicer.util.arrayFromVolume(volume).shape[1:]
    parts = labels.shape[1] // columns
    marked = labels.reshape(rows, columns, parts).any(axis=(0, 2))
    np.testing.assert_array_equal(marked, np.arange(8) % 2 == 1)
    assert 0.05 < labels[:, parts : 2 * parts].mean() < 0.5, "the picture below must stay visible"
    both = [np.zeros(6), np.zeros(6)]
    for node, bounds in zip((volume, hatch), both, strict=True):
        node.GetRASBounds(bounds)
    np.testing.assert_allclose(both[1], both[0], atol=1e-6)
    composite = slicer.app.layoutManager().sliceWidget("MMode").mrmlSliceCompositeNode()
    assert composite.GetLabelVolumeID() == hatch.GetID()
    velocity = slicer.util.arrayFromTableColumn(volume.GetNodeReference("DynamicMRIRecon.EdgeTable"), "edge velocity")
    np.testing.assert_array_equal(np.isnan(velocity), np.arange(8) % 2 == 1)
    assert "4 synthetic frames" in panel.text("profileLabel")


def _segmentation() -> Any:
    """A segment of the pixels 12 to 17 in x and 10 to 13 in y of the object's grid."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Pool")
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(32, 32, 1)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    labels = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(32, 32)
    labels[:] = 0
    labels[10:14, 12:18] = 1
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(scans.geometry(32).affine))
    segment = slicer.vtkSegment()
    segment.SetName("pool")
    segment.AddRepresentation("Binary labelmap", image)
    node.GetSegmentation().AddSegment(segment, "pool")
    return node


def _region(kind: str) -> Any:
    if kind == "segment":
        return _segmentation()
    if kind == "curve":
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", "Pool")
        node.SetCurveTypeToLinear()
        for x, y in ((11.5, 9.5), (17.5, 9.5), (17.5, 13.5), (11.5, 13.5)):
            node.AddControlPointWorld(place(x, y), "p")
        return node
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Pool")
    toWorld = np.eye(4)
    toWorld[:3, :3] = scans.DIRECTIONS
    toWorld[:3, 3] = scans.geometry(32).to_ras((14.5, 11.5, 0.0))
    node.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(toWorld))
    node.SetSize(6 * 3.75 - 0.1, 4 * 3.75 - 0.1, 2.0)
    return node


@pytest.mark.parametrize("kind", ["curve", "box", "segment"])
def test_brightness_of_a_region_over_time(panel: Any, two: Any, kind: str) -> None:
    first, second, _ = two
    panel.ui.profileLineSelector.setCurrentNode(None)
    panel.ui.profileRegionSelector.setCurrentNode(_region(kind))
    tick(panel.ui.moreSequencesList, "Result")
    assert panel.ui.computeProfileButton.isEnabled()
    panel.ui.computeProfileButton.click()
    assert panel.text("profileLabel").count("24 voxels") == 2, panel.text("profileLabel")
    tables = {
        node.GetNodeReference("DynamicMRIRecon.Sequence"): node
        for node in slicer.util.getNodesByClass("vtkMRMLTableNode")
        if node.GetNodeReference("DynamicMRIRecon.Region")
    }
    expected = scans.images(frames=8).array[:, 0, 10:14, 12:18].mean(axis=(1, 2))
    for sequence, factor in ((first, 1.0), (second, 0.5)):
        mean = slicer.util.arrayFromTableColumn(tables[sequence], "mean")
        np.testing.assert_allclose(mean, factor * expected, rtol=1e-5)
        assert tables[sequence].GetColumnUnitLabel("time") == "s"


def test_profiles_and_regions_are_exported(panel: Any, two: Any, tmp_path: Path) -> None:
    first, _, _ = two
    panel.ui.profileRegionSelector.setCurrentNode(_region("box"))
    panel.ui.computeProfileButton.click()
    written = panel.logic.export(first, tmp_path / "a.csv")
    endings = ("Border.edge.csv", "Border.mmode.csv", "Border.TextGrid", "regions.csv")
    assert [path.name for path in written] == [f"a.{ending}" for ending in endings]
    with (tmp_path / "a.regions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["region"] for row in rows] == ["Pool"] * 8
    assert float(rows[3]["time_s"]) == pytest.approx(scans.images(8).times_s[3])


def test_all_choices_and_nodes_come_back_with_the_scene(panel: Any, two: Any, tmp_path: Path) -> None:
    markup("Line", "Second", (18, 12), (18, 29))
    tick(panel.ui.moreSequencesList, "Result")
    tick(panel.ui.moreLinesList, "Second")
    panel.ui.profileRegionSelector.setCurrentNode(_region("box"))
    panel.ui.profilePlotCombo.setCurrentIndex(1)
    panel.ui.computeProfileButton.click()
    names = sorted(node.GetName() for node in mmodes())
    classes = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode", "vtkMRMLLabelMapVolumeNode")
    counts = {name: len(slicer.util.getNodesByClass(name)) for name in classes}
    assert counts["vtkMRMLLabelMapVolumeNode"] == 2
    text = panel.text("profileLabel")
    panel.widget.exit()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    panel.widget.enter()
    assert sorted(node.GetName() for node in mmodes()) == names
    assert {name: len(slicer.util.getNodesByClass(name)) for name in classes} == counts
    profile = panel.widget.panel.profile
    assert [node.GetName() for node in profile.moreSequences.nodes()] == ["Result"]
    assert [node.GetName() for node in profile.moreLines.nodes()] == ["Second"]
    assert panel.ui.profileRegionSelector.currentNode().GetName() == "Pool"
    assert profile.plotted() == "velocity"
    panel.ui.computeProfileButton.click()
    assert panel.text("profileLabel") == text
    assert {name: len(slicer.util.getNodesByClass(name)) for name in classes} == counts, "the nodes are used again"
