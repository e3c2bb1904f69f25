"""Stacks in the panel: ticked, registered, reconstructed, compared; masks, grids, refusals, and the scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qt
import slicer
import stack_scene
from host import render, window
from panel_driver import PanelDriver
from stack_cases import MARKER_MM, found_marker_mm, stacks, volume
from stack_panel import loaded, moved_by, rows, shown, tick, views

from DynamicMRIReconLib.data import ImageSeries


def test_registered_reconstructed_and_compared(panel: PanelDriver) -> None:
    nodes = loaded(panel)
    panel.choose_method("bspline")
    tick(panel, *stack_scene.NAMES)
    assert "Not registered yet" in panel.text("stacksLabel")
    panel.ui.registerButton.click()
    assert panel.running(), "it must run in the background"
    panel.wait_for_end()
    assert panel.error_shown() == ""
    fixed, moved = nodes[0], nodes[1]
    assert fixed.GetParentTransformNode() is None
    transform = moved.GetParentTransformNode()
    assert transform.IsA("vtkMRMLLinearTransformNode")
    identifier, found = transform.GetID(), slicer.util.arrayFromTransformMatrix(transform)
    turn, shift = stack_scene.degrees_and_mm(found @ stack_scene.MOTION)
    assert turn < 0.2
    assert shift < 0.2
    # The shift of the middle is that of the motion, which turns about it.
    text = panel.text("stacksLabel")
    assert f"Coronal: {np.linalg.norm((3, -2, 4)):.1f} mm, 7." in text, text
    assert moved_by(panel)[0] == "fixed"
    assert shown() == list(stack_scene.NAMES)
    assert panel.results() == [], "a registration is no result"
    result = panel.reconstruct()
    record = json.loads(result.GetAttribute("DynamicMRIRecon.Provenance"))
    assert record["parameters"]["registration"] == "none"
    from DynamicMRIReconSlicer import sequenceReader

    series = sequenceReader.toSeries(result)
    assert np.abs(found_marker_mm(series) - MARKER_MM).max() < 0.5
    assert np.abs(series.geometry.spacing_mm - 2.0).max() < 1e-6
    assert [result.GetNthNodeReference("DynamicMRIRecon.Input", n) for n in range(3)] == nodes
    panel.ui.undoRegistrationButton.click()
    assert moved.GetParentTransformNode() is None
    assert slicer.mrmlScene.GetNodeByID(identifier) is None, "the transform went with it"


def test_results_stand_side_by_side_in_one_window(panel: PanelDriver, tmp_path: Path) -> None:
    nodes = loaded(panel, moved=False)
    tick(panel, *stack_scene.NAMES)
    assert not panel.ui.compareMethodsButton.isEnabled()
    truth = volume()
    finished = [stack_scene.finished(nodes, "bspline", truth)]
    bright = ImageSeries(1.4 * truth.array, truth.affine, truth.times_s)
    finished += [stack_scene.finished(nodes, "srr", one) for one in (bright, truth)]
    panel.widget.panel.results.refresh()
    panel.widget.panel.update()
    panel.ui.compareMethodsButton.click()
    said = panel.text("compareMethodsLabel")
    assert "Axial (fixed stack), B-spline, Super-resolution (SRR)" in said
    assert "Not made yet: IREM" in said
    # The newer of the two results of one method.
    assert shown() == ["Axial", "Axial bspline", finished[2].GetName()]
    composites = [logic.GetSliceCompositeNode() for logic in views()]
    assert all(one.GetLinkedControl() and one.GetHotLinkedControl() for one in composites)
    volumes = [slicer.mrmlScene.GetNodeByID(one.GetBackgroundVolumeID()) for one in composites]
    windows = {
        (node.GetDisplayNode().GetWindowLevelMin(), node.GetDisplayNode().GetWindowLevelMax()) for node in volumes
    }
    assert len(windows) == 1
    volumes[1].GetDisplayNode().SetWindowLevelMinMax(5, 50)
    assert volumes[2].GetDisplayNode().GetWindowLevelMax() == 50
    planes = [slicer.util.arrayFromVTKMatrix(logic.GetSliceNode().GetSliceToRAS()) for logic in views()]
    fields = [logic.GetSliceNode().GetFieldOfView() for logic in views()]
    for plane, field in zip(planes[1:], fields[1:], strict=True):
        np.testing.assert_allclose(plane, planes[0], atol=1e-6)
        assert field == pytest.approx(fields[0])
    if render.rendering_missing() is None:
        names = [name for name in slicer.app.layoutManager().sliceViewNames() if name.startswith("Compare")]
        picture = qt.QImage(str(window.compare_picture(None, tmp_path / "compare.png", names)))
        third = picture.width() // 3
        parts = [picture.copy(n * third, 40, third, picture.height() // 2 - 40) for n in range(3)]
        assert all(len({part.pixel(x, 100) for x in range(third)}) > 5 for part in parts), "an empty view"
    # What is subtracted elsewhere is compared here.
    panel.pick_result(finished[0])
    panel.ui.trustButton.click()
    assert panel.error_shown() == ""
    assert shown()[:2] == ["Axial", "Axial bspline"]
    panel.widget.panel.results.show(finished[0])
    assert not views(), "a single result is shown in the anatomical views"


def test_what_is_missing_is_said(panel: PanelDriver) -> None:
    assert "There is no volume in the scene yet" in panel.text("stacksHintLabel")
    assert panel.ui.stacksTable.isHidden()
    panel.choose_method("srr")
    assert not panel.ui.stacksCollapsibleButton.property("collapsed")
    assert "Tick two or more image stacks" in panel.why_not()
    nodes = loaded(panel)
    tick(panel, "Coronal")
    assert "One stack only is ticked, Coronal" in panel.why_not()
    assert not panel.ui.registerButton.isEnabled()
    tick(panel, "Axial")
    assert panel.can_reconstruct()
    assert "memory" in panel.text("estimateLabel")
    apart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Far")
    matrix = np.eye(4)
    matrix[0, 3] = 500
    apart.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    nodes[1].SetAndObserveTransformNodeID(apart.GetID())
    panel.widget.panel.update()
    reason = "Stack 2 (Coronal) does not overlap Stack 1 (Axial), the fixed one"
    assert reason in panel.why_not()
    assert reason in panel.text("stacksLabel")
    bend = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Bend")
    bend.SetAndObserveTransformFromParent(slicer.vtkOrientedBSplineTransform())
    nodes[1].SetAndObserveTransformNodeID(bend.GetID())
    panel.widget.panel.update()
    assert "deforming transform" in panel.why_not()
    slicer.mrmlScene.RemoveNode(nodes[1])
    panel.host.app.processEvents()
    assert "One stack only is ticked, Axial" in panel.why_not()
    for node in (nodes[0], nodes[2]):
        slicer.mrmlScene.RemoveNode(node)
    panel.host.app.processEvents()
    assert "There is no volume in the scene yet" in panel.text("stacksHintLabel")


def test_other_methods_and_movies_are_not_concerned(panel: PanelDriver, scan: Path) -> None:
    import scans
    from DynamicMRIReconSlicer import sequences

    assert panel.ui.methodCombo.property("currentText") == "CG-SENSE"
    assert panel.ui.stacksCollapsibleButton.property("collapsed")
    sequences.fromSeries(scans.images(), "Movie")
    loaded(panel, moved=False)
    assert set(rows(panel)) == set(stack_scene.NAMES), "frames of a movie are no stacks"
    tick(panel, *stack_scene.NAMES)
    assert panel.ui.methodCombo.property("currentText") == "IREM", "suggested for stacks"
    panel.choose_method("cg-sense")
    panel.open_scan(scan)
    panel.choose_method("srr")
    assert panel.can_reconstruct(), "ticked stacks are the input of a method on stacks"
    tick(panel, *stack_scene.NAMES, on=False)
    assert "Tick two or more image stacks" in panel.why_not()


def test_where_the_result_lies_is_chosen(panel: PanelDriver) -> None:
    loaded(panel, moved=False)
    tick(panel, *stack_scene.NAMES)
    section = panel.widget.panel.stacks
    assert section.parameters() == {"fixed_stack": 1}
    panel.ui.fixedStackCombo.setCurrentIndex(2)
    box = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")
    box.SetCenter(5, 6, 7)
    box.SetSize(20, 30, 40)
    panel.ui.stackGridSelector.setCurrentNode(box)
    assert section.parameters() == {
        "fixed_stack": 3,
        "region_mm": pytest.approx([-5, 15, -9, 21, -13, 27], abs=1e-6),
    }
    other = stack_scene.add(volume((8, 9, 10), 5.0), "Reference")
    panel.ui.stackGridSelector.setCurrentNode(other)
    grid = section.parameters()["grid"]
    assert grid["shape"] == [8, 9, 10]
    np.testing.assert_allclose(grid["affine"], volume((8, 9, 10), 5.0).affine, atol=1e-6)


def test_choices_come_back_with_the_scene_and_with_a_result(panel: PanelDriver, tmp_path: Path) -> None:
    from DynamicMRIReconSlicer import stackRegistration

    nodes = loaded(panel)
    panel.choose_method("srr")
    tick(panel, "Axial", "Sagittal")
    panel.ui.fixedStackCombo.setCurrentIndex(1)
    stackRegistration.apply([nodes[0], nodes[2]], nodes[2], stackRegistration.Motions([stack_scene.MOTION, np.eye(4)]))
    result = stack_scene.finished(nodes[:2], "bspline", volume(), fixed=2)
    panel.widget.panel.results.refresh(select=result)
    panel.widget.exit()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    panel.widget.enter()
    assert not panel.can_reconstruct()
    slicer.util.loadScene(path)
    panel.widget.enter()
    section = panel.widget.panel.stacks
    assert [node.GetName() for node in section.stacks()] == ["Axial", "Sagittal"]
    assert section.fixed().GetName() == "Sagittal"
    assert section.parameters() == {"fixed_stack": 2, "registration": "none"}
    assert panel.can_reconstruct()
    panel.pick_result(slicer.util.getFirstNodeByClassByName("vtkMRMLSequenceNode", "Axial bspline"))
    panel.ui.useSettingsButton.click()
    assert panel.error_shown() == ""
    assert [node.GetName() for node in section.stacks()] == ["Axial", "Coronal"]
    assert section.fixed().GetName() == "Coronal"
    assert panel.widget.panel.method.method["key"] == "bspline"
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("Coronal"))
    panel.ui.useSettingsButton.click()
    assert "not in the scene any more" in panel.error_shown()


def test_console_takes_a_list_of_volumes(slicer_host: Any, module: Any) -> None:
    from DynamicMRIReconSlicer import sequenceReader

    import DynamicMRIRecon

    # slices thin enough for the marker, see the tests of the methods
    nodes = [stack_scene.add(one, name) for one, name in zip(stacks(factor=2), stack_scene.NAMES, strict=True)]
    result = DynamicMRIRecon.DynamicMRIReconLogic().reconstruct(nodes, "bspline", {"registration": "none"})
    assert result.sequence.GetName() == "Axial bspline"
    assert result.sequence.GetNumberOfDataNodes() == 1
    series = sequenceReader.toSeries(result.sequence)
    assert np.abs(found_marker_mm(series) - MARKER_MM).max() < 0.1 * series.geometry.spacing_mm.min()
