"""Gives scene nodes their subject-hierarchy items, which in Slicer the Qt plugins do."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

#: node classes that get an item in Slicer; sequence, browser and parameter nodes do not
WITH_ITEM = (
    "vtkMRMLScalarVolumeNode",
    "vtkMRMLTextNode",
    "vtkMRMLTableNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLPlotSeriesNode",
    "vtkMRMLMarkupsNode",
    "vtkMRMLModelNode",
    "vtkMRMLTransformNode",
)


class SubjectHierarchyItems:
    """Observes the scene for as long as the host lives."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._added)
        scene.AddObserver(slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._removed)
        scene.AddObserver(slicer.vtkMRMLScene.EndImportEvent, self._imported)

    def _tree(self) -> Any:
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)

    def _add(self, node: Any) -> None:
        tree = self._tree()
        wanted = not node.GetHideFromEditors() and any(node.IsA(name) for name in WITH_ITEM)
        if wanted and tree.GetItemByDataNode(node) == 0:
            tree.CreateItem(tree.GetSceneItemID(), node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _added(self, _caller: Any, _event: str, node: Any) -> None:
        if not self._scene.IsBatchProcessing():
            self._add(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _removed(self, _caller: Any, _event: str, node: Any) -> None:
        if self._scene.IsClosing():
            return
        item = self._tree().GetItemByDataNode(node)
        if item:
            self._tree().RemoveItem(item, False, False)

    def _imported(self, *_: Any) -> None:
        for index in range(self._scene.GetNumberOfNodes()):
            self._add(self._scene.GetNthNode(index))
