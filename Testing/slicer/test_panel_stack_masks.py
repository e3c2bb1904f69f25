"""Masks of stacks in the panel, and transforms of the user: they stay with their stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
import stack_scene
from panel_driver import PanelDriver
from stack_panel import loaded, rows, tick

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs import files


@pytest.mark.parametrize("kind", ["labelmap", "segmentation"])
def test_a_mask_follows_its_stack(panel: PanelDriver, tmp_path: Path, kind: str) -> None:
    from DynamicMRIReconSlicer import stackNodes, stackRegistration
    from DynamicMRIReconSlicer.jobFolder import JobFolder, Request

    nodes = loaded(panel)
    box = np.zeros((1, *slicer.util.arrayFromVolume(nodes[1]).shape), np.float32)
    box[:, 3:7, 10:20, 12:18] = 1
    affine = stack_scene.images()[1].affine
    mask = stack_scene.add(ImageSeries(box, affine, np.zeros(1)), "Brain", "vtkMRMLLabelMapVolumeNode")
    if kind == "segmentation":
        mask = _segmentation(mask)
    assert panel.wait(lambda: _masks(panel, "Coronal").findText(mask.GetName()) > 0, 5)
    tick(panel, "Axial", "Coronal")
    _masks(panel, "Coronal").setCurrentIndex(_masks(panel, "Coronal").findText(mask.GetName()))
    assert stackNodes.maskOf(nodes[1]) is mask
    motion = np.linalg.inv(stack_scene.MOTION)
    stackRegistration.apply(nodes[:2], nodes[0], stackRegistration.Motions([np.eye(4), motion]))
    source = panel.widget.panel.stacks.source()
    folder = JobFolder()
    folder.fill(Request(source=source, method="srr"))
    job = json.loads((folder.path / files.JOB).read_text(encoding="utf-8"))
    read = io.read([one["path"] for one in job["inputs"]], masks=[one["path"] for one in job["masks"]])
    folder.remove()
    np.testing.assert_allclose(read[1].affine, motion @ affine, atol=1e-6)
    np.testing.assert_array_equal(read[1].parts["mask"], box)
    assert read[0].parts["mask"].all(), "no mask: everything counts"


def _masks(panel: PanelDriver, stack: str) -> Any:
    return panel.ui.stacksTable.cellWidget(rows(panel)[stack], 1)


def _segmentation(label: Any) -> Any:
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Drawn")
    image = slicer.vtkOrientedImageData()
    image.DeepCopy(label.GetImageData())
    matrix = vtk.vtkMatrix4x4()
    label.GetIJKToRASMatrix(matrix)
    image.SetImageToWorldMatrix(matrix)
    segment = slicer.vtkSegment()
    segment.SetName("brain")
    segment.AddRepresentation("Binary labelmap", image)
    node.GetSegmentation().AddSegment(segment, "brain")
    node.GetSegmentation().SetSourceRepresentationName("Binary labelmap")
    return node


def test_a_transform_of_the_users_own_is_kept(panel: PanelDriver) -> None:
    from DynamicMRIReconSlicer import stackNodes, stackRegistration

    nodes = loaded(panel, moved=False)
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Mine")
    shift = np.eye(4)
    shift[:3, 3] = (1, 2, 3)
    own.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(shift))
    nodes[1].SetAndObserveTransformNodeID(own.GetID())
    placed = stackNodes.read(nodes[:2]).images[1].affine
    motion = stack_scene.MOTION
    for _ in range(2):
        stackRegistration.apply(nodes[:2], nodes[0], stackRegistration.Motions([np.eye(4), motion]))
        np.testing.assert_allclose(stackNodes.read(nodes[:2]).images[1].affine, motion @ placed, atol=1e-6)
        again = stackNodes.read(nodes[:2], registered=False).images[1].affine
        np.testing.assert_allclose(again, placed, atol=1e-6)
    # Another fixed stack: the one that is fixed now goes back to where it lay.
    stackRegistration.apply(nodes[:2], nodes[1], stackRegistration.Motions([motion, np.eye(4)]))
    assert nodes[1].GetParentTransformNode() is own
    assert stackRegistration.registeredTo(nodes[:2], nodes[1])
    assert not stackRegistration.registeredTo(nodes[:2], nodes[0])
    stackRegistration.undo(nodes)
    assert nodes[0].GetParentTransformNode() is None
    assert nodes[1].GetParentTransformNode() is own
