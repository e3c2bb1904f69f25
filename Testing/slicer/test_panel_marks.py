"""Turning points by their names, and the uncertainty that a method tells, as a band on curve and profile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scans
import slicer
import vtk

EDGE, ROLE = "DynamicMRIRecon.EdgeTable", "DynamicMRIRecon.Band"


@pytest.fixture
def measured(panel: Any) -> Any:
    """The object whose lower border moves away and comes back, and a line across that border."""
    from DynamicMRIReconSlicer import sequences

    sequence = sequences.fromSeries(scans.images(frames=12), "Cine").sequence
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Border")
    for y in (12.0, 29.0):
        line.AddControlPointWorld(vtk.vtkVector3d(*scans.geometry(32).to_ras((14.0, y, 0.0))), "p")
    panel.ui.profileSequenceSelector.setCurrentNode(sequence)
    panel.ui.profileLineSelector.setCurrentNode(line)
    panel.ui.computeProfileButton.click()
    return sequence


def mmode() -> Any:
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return next(one for one in volumes if one.GetAttribute("DynamicMRIRecon.SecondsPerColumn"))


def series_names() -> set[str]:
    chart = slicer.mrmlScene.GetNodeByID(
        next(
            one for one in slicer.util.getNodesByClass("vtkMRMLPlotViewNode") if one.GetLayoutName() == "PlotView1"
        ).GetPlotChartNodeID()
    )
    return {chart.GetNthPlotSeriesNode(i).GetYColumnName() for i in range(chart.GetNumberOfPlotSeriesNodes())}


def test_turning_points_have_the_names_that_were_chosen(panel: Any, measured: Any) -> None:
    assert series_names() == {"edge position", "turning point"}
    areas = scans.images(frames=12).array.sum(axis=(1, 2, 3))
    panel.ui.profileMarksCombo.setCurrentIndex(1)
    assert series_names() == {"edge position", "end diastole", "end systole"}
    table = mmode().GetNodeReference(EDGE)
    diastole = slicer.util.arrayFromTableColumn(table, "end diastole")
    (furthest,) = np.flatnonzero(np.isfinite(diastole))
    assert areas[furthest] == areas.max()
    time = scans.images(frames=12).times_s[furthest]
    assert f"end diastole {time:.3f} s" in panel.text("profileLabel")
    panel.ui.profileMarksCombo.setCurrentIndex(2)
    assert f"end systole {time:.3f} s" in panel.text("profileLabel")
    panel.ui.profileMarksCombo.setCurrentIndex(3)
    assert series_names() == {"edge position", "opening", "constriction"}
    panel.ui.profileMarksCombo.setCurrentIndex(0)
    assert series_names() == {"edge position", "turning point"}


def test_a_method_s_uncertainty_is_a_band(panel: Any, measured: Any) -> None:
    """A standard deviation of 5 in images whose step is 100: the band's half width is 5 over the slope at the edge."""
    from DynamicMRIReconSlicer import provenance, sequences

    from DynamicMRIReconLib.data import ImageSeries

    assert mmode().GetNodeReference(f"{ROLE}.edge - sd") is None
    series = scans.images(frames=12)
    told = ImageSeries(np.full_like(series.array, 5.0), series.affine, series.times_s)
    deviations = sequences.fromSeries(told, "Cine uncertainty").sequence
    measured.SetNodeReferenceID(provenance.UNCERTAINTY, deviations.GetID())
    panel.ui.computeProfileButton.click()
    assert series_names() == {"edge position", "turning point", "edge - sd", "edge + sd"}
    table = mmode().GetNodeReference(EDGE)
    edge, sd, above = (
        slicer.util.arrayFromTableColumn(table, name) for name in ("edge position", "edge uncertainty", "edge + sd")
    )
    # A step between neighbouring voxels, which trilinear interpolation makes a ramp of one voxel.
    spacing = float(scans.geometry(32).spacing_mm[1])
    np.testing.assert_allclose(sd, 5.0 / (100.0 / spacing), rtol=0.02)
    np.testing.assert_allclose(above, edge + sd)
    assert "standard deviation of" in panel.text("profileLabel")
    profile = mmode().GetNodeReference("DynamicMRIRecon.ProfileTable")
    mean, below = (slicer.util.arrayFromTableColumn(profile, name) for name in ("mean", "mean - sd"))
    np.testing.assert_allclose(mean - below, 5.0, rtol=1e-5)
    series_node = mmode().GetNodeReference(f"{ROLE}.edge - sd")
    assert series_node.GetLineStyle() == series_node.LineStyleDash
    slicer.mrmlScene.RemoveNode(deviations)
    panel.ui.computeProfileButton.click()
    assert series_names() == {"edge position", "turning point"}, "the band goes with what it was drawn from"


def test_a_result_with_the_part_uncertainty_knows_it(panel: Any, tmp_path: Any) -> None:
    from DynamicMRIReconSlicer import provenance
    from DynamicMRIReconSlicer.jobFolder import Request
    from DynamicMRIReconSlicer.results import loadResult

    from DynamicMRIReconLib import io
    from DynamicMRIReconLib.io.part_files import write_parts
    from DynamicMRIReconLib.jobs import files

    series = scans.images()
    told = type(series)(series.array, series.affine, series.times_s, parts={"uncertainty": 0.1 * series.array})
    io.write(tmp_path / files.RESULT, told)
    parts = write_parts(tmp_path / files.RESULT, told)
    event = {"event": "done", "elapsed_s": 1.0, "parts": {name: str(path) for name, path in parts.items()}}
    result = loadResult(Request(source=tmp_path, method="st-inr", name="tiny"), tmp_path, event, [])
    assert result.sequence.GetNodeReference(provenance.UNCERTAINTY) is result.parts["uncertainty"]
    images = panel.logic._profiles.imagesOf(result.sequence)
    np.testing.assert_allclose(images.parts["uncertainty"], 0.1 * series.array, rtol=1e-5)
