"""The host's scene behaves as the one in Slicer: sequences, subject hierarchy, layouts, saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

AFFINE = np.array([[-1.5, 0, 0, 20.0], [0, -1.5, 0, 30.0], [0, 0, 8.0, -5.0], [0, 0, 0, 1]])


def _sequence(frames: int = 4) -> tuple[Any, Any]:
    import slicer

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Cine")
    sequence.SetIndexName("time")
    sequence.SetIndexUnit("s")
    for i in range(frames):
        volume = slicer.vtkMRMLScalarVolumeNode()
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(AFFINE))
        slicer.util.updateVolumeFromArray(volume, np.full((1, 5, 6), i, np.float32))
        sequence.SetDataNodeAtValue(volume, f"{0.025 * i:.6f}")
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "Cine browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    return sequence, browser


def test_sequence_has_browser_proxy_and_plays(slicer_host: Any) -> None:
    import slicer

    sequence, browser = _sequence()
    proxy = browser.GetProxyNode(sequence)
    browser.SetSelectedItemNumber(2)
    assert slicer.util.arrayFromVolume(proxy).max() == 2
    assert slicer.modules.sequences.logic().GetFirstBrowserNodeForSequenceNode(sequence) is browser


def test_subject_hierarchy_lists_what_slicer_lists(slicer_host: Any) -> None:
    import slicer

    sequence, browser = _sequence()
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    text = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", "Notes")
    assert tree.GetItemByDataNode(sequence) == 0
    assert tree.GetItemByDataNode(browser) == 0
    assert tree.GetItemName(tree.GetItemByDataNode(text)) == "Notes"
    folder = tree.CreateFolderItem(tree.GetSceneItemID(), "Result")
    tree.SetItemParent(tree.GetItemByDataNode(browser.GetProxyNode(sequence)), folder)
    assert tree.GetNumberOfItemChildren(folder) == 1
    slicer.mrmlScene.RemoveNode(text)
    assert tree.GetItemByDataNode(text) == 0


def test_own_layout_makes_its_slice_view_and_plot_view(slicer_host: Any) -> None:
    import slicer

    manager = slicer.app.layoutManager()
    assert set(manager.sliceViewNames()) == {"Red", "Yellow", "Green"}
    view = '<item><view class="vtkMRMLSliceNode" singletontag="{}"/></item>'
    description = (
        '<layout type="horizontal">' + view.format("Red") + view.format("MMode")
        + '<item><view class="vtkMRMLPlotViewNode" singletontag="PlotView1"/></item></layout>'
    )  # fmt: skip
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(9999, description)
    manager.setLayout(9999)
    assert manager.sliceViewNames() == ["Red", "MMode"]
    assert manager.sliceWidget("MMode").mrmlSliceNode().GetLayoutName() == "MMode"
    volume = slicer.util.addVolumeFromArray(np.zeros((1, 5, 6), np.float32), name="V")
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    assert manager.sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID() == volume.GetID()


@pytest.mark.parametrize("suffix", [".mrb", ".mrml"])
def test_parameters_survive_saving_and_loading_the_scene(slicer_host: Any, tmp_path: Path, suffix: str) -> None:
    import slicer
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

    class SomethingLogic(ScriptedLoadableModuleLogic):
        pass

    logic = SomethingLogic()
    logic.getParameterNode().SetParameter("method", "grasp")
    assert logic.getParameterNode() is logic.getParameterNode()
    path = str(tmp_path / f"scene{suffix}")
    assert slicer.util.saveScene(path)
    slicer_host.clear_scene()
    assert logic.getParameterNode().GetParameter("method") == ""
    slicer.util.loadScene(path)
    assert logic.getParameterNode().GetParameter("method") == "grasp"
    assert logic.getAllParameterNodes() == [logic.getParameterNode()]


def test_sequence_file_goes_out_and_comes_in(slicer_host: Any, tmp_path: Path) -> None:
    import slicer
    import vtk

    sequence, _ = _sequence()
    path = str(tmp_path / "cine.seq.nrrd")
    assert slicer.util.saveNode(sequence, path)
    assert slicer.app.coreIOManager().fileType(path) == "SequenceFile"
    loaded = slicer.util.loadSequence(path)
    assert loaded.GetNumberOfDataNodes() == 4
    frame = loaded.GetNthDataNode(1)
    matrix = vtk.vtkMatrix4x4()
    frame.GetIJKToRASMatrix(matrix)
    np.testing.assert_allclose(slicer.util.arrayFromVTKMatrix(matrix), AFFINE)
