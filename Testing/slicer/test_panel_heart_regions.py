"""The heart's regions: boxes of the scene where the voxels are, read back as voxels, used by the cardiac figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from panel_driver import PanelDriver

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "io"))
from marker_series import MARKER_RAS_MM, ORIENTATIONS, SPACING_MM, marker_series

from DynamicMRIReconLib import io
from DynamicMRIReconLib.acquisition.degradation import degraded
from DynamicMRIReconLib.cardiac.region import heart_box, published_box
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation import evaluate
from DynamicMRIReconLib.methods.common.finer_grid import on_finer_grid
from DynamicMRIReconLib.phantoms.heart import HeartScene

SAMPLE = Path(__file__).resolve().parents[2] / "Resources" / "SampleData" / "cine_sax"
#: around the marker, whose middle is at voxel 17.3, 6.6: not in the box's middle
BOX = (14, 3, 23, 9)


@pytest.fixture
def beating(slicer_host: Any, module: Any) -> tuple[Any, Any]:
    """A beating heart, coarse and as it is, as sequences of the scene."""
    from DynamicMRIReconSlicer import sequences

    scene = HeartScene(0, respiration_mm=0)
    times = scene.cycle.period_s / 12 * np.arange(12)
    fine = np.abs(scene.render(times, (1, 96, 96))).astype(np.float32)
    coarse = ImageSeries(degraded(fine, 2), scene.geometry((1, 48, 48)).affine, times)
    truth = on_finer_grid(coarse, fine, 2)
    return sequences.fromSeries(coarse, "Coarse").sequence, sequences.fromSeries(truth, "Truth").sequence


def corners(region: Any) -> np.ndarray:
    """(8, 3) RAS mm of the ROI as MRML tells them."""
    size = [0.0, 0.0, 0.0]
    region.GetSizeWorld(size)
    matrix = region.GetObjectToWorldMatrix()
    found = [matrix.MultiplyPoint((*((np.array(signs) - 0.5) * size), 1.0))[:3] for signs in np.ndindex(2, 2, 2)]
    return np.array(found)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_box_lies_on_the_borders_of_its_voxels(slicer_host: Any, module: Any, orientation: str) -> None:
    from DynamicMRIReconSlicer import heartRegion, regionCurves, sequences

    series = marker_series(orientation, np.arange(3) * 0.05)
    volume = sequences.fromSeries(series, "Marker").proxy
    region = heartRegion.show(series, "auto", BOX, "Marker")
    toIjk = vtk.vtkMatrix4x4()
    volume.GetRASToIJKMatrix(toIjk)
    at = np.array([toIjk.MultiplyPoint((*corner, 1.0))[:3] for corner in corners(region)])
    np.testing.assert_allclose(at.min(axis=0), (13.5, 2.5, -0.5), atol=0.01)
    np.testing.assert_allclose(at.max(axis=0), (22.5, 8.5, 4.5), atol=0.01)
    # The marker is nearer to one side than to the other: a mirrored or shifted box would tell.
    toObject = np.linalg.inv(slicer.util.arrayFromVTKMatrix(region.GetObjectToWorldMatrix()))
    offset = (toObject @ (*MARKER_RAS_MM, 1.0))[:3] / SPACING_MM
    # slices of a left-handed series come in the other order
    slice_ = 2.2 if orientation == "left-handed" else 1.8
    np.testing.assert_allclose(offset, np.array([17.3, 6.6, slice_]) - (18.0, 5.5, 2.0), atol=0.1)
    inside = np.zeros(series.array.shape[1:], bool)
    inside[:, BOX[1] : BOX[3], BOX[0] : BOX[2]] = True
    np.testing.assert_array_equal(regionCurves.maskOf(series, region), inside)
    assert heartRegion.boxOf(region, series) == BOX
    finer = on_finer_grid(series, np.kron(series.array, np.ones((2, 2), np.float32)), 2)
    assert heartRegion.boxOf(region, finer) == tuple(2 * one for one in BOX)


def test_a_box_that_was_moved_is_read_where_it_is(slicer_host: Any, module: Any) -> None:
    from DynamicMRIReconSlicer import heartRegion

    series = marker_series("oblique", np.arange(3) * 0.05)
    region = heartRegion.show(series, "auto", BOX, "Marker")
    along = series.geometry.to_ras((2, -1, 0)) - series.geometry.to_ras((0, 0, 0))
    region.SetCenterWorld(*(np.array(region.GetCenterWorld()) + along))
    assert heartRegion.boxOf(region, series) == (16, 2, 25, 8)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moved = np.eye(4)
    moved[:3, 3] = -2 * along
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    region.SetAndObserveTransformNodeID(transform.GetID())
    assert heartRegion.boxOf(region, series) == (12, 4, 21, 10)
    moved[:3, 3] = (0, 0, 900)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    with pytest.raises(InputError, match="beside the images"):
        heartRegion.boxOf(region, series)
    assert heartRegion.show(series, "auto", BOX, "Marker") is region
    assert heartRegion.boxOf(region, series) == BOX, "drawn anew it is where the heart is"


def test_the_button_draws_both_regions(panel: PanelDriver, slicer_host: Any) -> None:
    from DynamicMRIReconSlicer import heartRegion, sequences

    series = io.read(SAMPLE)
    panel.choose_method("cardiac-vsr")
    assert not panel.ui.showRegionsButton.isEnabled()
    panel.ui.inputSelector.setCurrentNode(sequences.fromSeries(series, "Cine").sequence)
    panel.ui.showRegionsButton.click()
    regions = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")}
    assert set(regions) == {"Cine, heart (automatic)", "Cine, heart (published)"}
    for rule, box in {"auto": heart_box(series.array), "published": published_box(series.array)}.items():
        name = heartRegion.RULES[rule]
        assert heartRegion.boxOf(regions[f"Cine, heart ({name})"], series) == box
        width = (box[2] - box[0]) * series.geometry.spacing_mm[0]
        assert f"Heart, {name} ({heartRegion.COLOUR_NAMES[rule]}): {width:.0f} x " in panel.text("regionLabel")
    panel.ui.showRegionsButton.click()
    assert len(slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")) == 2
    still = ImageSeries(np.ones((6, 1, 16, 16), np.float32), np.eye(4), np.arange(6) / 20)
    panel.ui.inputSelector.setCurrentNode(sequences.fromSeries(still, "Still").sequence)
    assert panel.text("regionLabel") == "", "what was said is of another input"
    panel.ui.showRegionsButton.click()
    assert "Nothing beats in this series" in panel.text("regionLabel")


def test_two_beats_have_no_published_region(slicer_host: Any, module: Any) -> None:
    from DynamicMRIReconSlicer import heartRegion

    array = io.read(SAMPLE).array
    series = ImageSeries(np.concatenate([array, array]), np.eye(4), np.arange(40) / 20)
    assert heartRegion.find(series) == {"auto": heart_box(array)}


def test_results_are_compared_in_the_heart_too(panel: PanelDriver, beating: tuple[Any, Any]) -> None:
    from DynamicMRIReconSlicer import heartRegion, provenance, sequenceReader

    coarse, truth = beating
    panel.choose_method("bicubic")
    panel.ui.inputSelector.setCurrentNode(coarse)
    panel.ui.referenceSelector.setCurrentNode(truth)
    result = panel.reconstruct()
    assert panel.error_shown() == ""
    whole, given = sequenceReader.toSeries(truth), sequenceReader.toSeries(coarse)
    expected = evaluate(sequenceReader.toSeries(result), whole, cardiac="auto")["cardiac"]
    assert float(shown(panel, "CardiacPSNR (dB)")[0]) == pytest.approx(expected["cardiac_psnr_db"], abs=0.02)
    assert float(shown(panel, "CardiacSSIM")[0]) == pytest.approx(expected["cardiac_ssim"], abs=0.002)
    box = (12, 14, 30, 34)
    panel.ui.heartRegionSelector.setCurrentNode(heartRegion.show(given, "auto", box, "Coarse"))
    again = panel.reconstruct()
    record = json.loads(again.GetNodeReference(provenance.PROVENANCE).GetText())["metrics"]["cardiac"]
    assert (record["rule"], record["box"]) == ("given", [2 * one for one in box])
    assert provenance.cardiacOf(again) == "24,28,60,68"
    repeated = panel.logic.repeat(again).sequence
    assert json.loads(repeated.GetNodeReference(provenance.PROVENANCE).GetText())["metrics"]["cardiac"] == record
    panel.choose_method("ifnet")
    assert panel.ui.heartRegionSelector.isHidden()
    assert panel.widget.panel.reference.cardiac() is None


def test_the_choice_goes_with_the_scene(panel: PanelDriver, beating: tuple[Any, Any], tmp_path: Path) -> None:
    from DynamicMRIReconSlicer import heartRegion, sequenceReader

    panel.choose_method("bicubic")
    panel.ui.referenceSelector.setCurrentNode(beating[1])
    region = heartRegion.show(sequenceReader.toSeries(beating[0]), "published", (12, 14, 30, 34), "Coarse")
    panel.ui.heartRegionSelector.setCurrentNode(region)
    panel.widget.panel.update()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    slicer.util.loadScene(path)
    panel.widget.enter()
    kept, reference = panel.ui.heartRegionSelector.currentNode(), panel.ui.referenceSelector.currentNode()
    assert kept is not None
    assert heartRegion.boxOf(kept, sequenceReader.toSeries(reference)) == (24, 28, 60, 68)


def shown(panel: PanelDriver, title: str) -> list[str]:
    """A column of the table of results."""
    table = panel.ui.resultsTable
    titles = [table.horizontalHeaderItem(index).text() for index in range(table.property("columnCount"))]
    assert not table.isColumnHidden(titles.index(title))
    return [str(table.item(row, titles.index(title)).text()) for row in range(table.property("rowCount"))]
