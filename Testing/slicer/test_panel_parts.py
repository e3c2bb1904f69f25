"""A result in parts in the panel: further sequences in the same browser, folder and list."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import slicer
from panel_driver import PanelDriver


def test_both_parts_of_a_result_can_be_shown_and_play_in_step(panel: PanelDriver, scan: Path) -> None:
    panel.choose_method("low-rank-sparse")
    panel.open_scan(scan)
    panel.parameter("iterations").setValue(3)
    panel.press_reconstruct()
    panel.wait_for_end()
    assert panel.error_shown() == "", panel.shown()
    sequences = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")}
    assert set(sequences) == {f"tiny low-rank-sparse{end}" for end in ("", " low-rank", " sparse")}
    whole, low, sparse = (sequences[f"tiny low-rank-sparse{end}"] for end in ("", " low-rank", " sparse"))
    (browser,) = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    assert browser.GetMasterSequenceNode() is whole
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    proxies = [browser.GetProxyNode(node) for node in (whole, low, sparse)]
    folders = {tree.GetItemParent(tree.GetItemByDataNode(proxy)) for proxy in proxies}
    assert len(folders) == 1
    assert tree.GetItemName(folders.pop()) == whole.GetName()
    assert [node.GetAttribute("DynamicMRIRecon.Part") for node in (whole, low, sparse)] == [None, "low-rank", "sparse"]
    assert json.loads(sparse.GetAttribute("DynamicMRIRecon.Provenance"))["parts"] == ["low-rank", "sparse"]
    images = [slicer.util.arrayFromVolume(node.GetNthDataNode(2)) for node in (whole, low, sparse)]
    assert (images[0] <= images[1] + images[2] + 1e-3 * images[0].max()).all(), "a sum is no larger than its parts"
    assert np.linalg.norm(images[1] - images[0]) < np.linalg.norm(images[0])
    assert len(panel.results()) == 3
    background = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert background.GetBackgroundVolumeID() == proxies[0].GetID()
    assert "part sparse" in panel.results()[2][1]
    panel.pick_result(sparse)
    assert background.GetBackgroundVolumeID() == proxies[2].GetID()
