"""``slicer.app.layoutManager()`` on the real MRML layout logic and slice logics; no pixels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import slicer
import vtk


class SliceWidget:
    """A slice view's nodes and logic."""

    def __init__(self, logic: Any) -> None:
        self._logic = logic

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def sliceController(self) -> Any:
        return SimpleNamespace(
            fitSliceToBackground=self.fitSliceToBackground, setSliceVisible=self.mrmlSliceNode().SetSliceVisible
        )

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()


class LayoutManager:
    """Layout, slice views and plot views by name."""

    def __init__(self, scene: Any, application: Any) -> None:
        self._scene, self._application = scene, application
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLScene(scene)
        self._slice_logics = vtk.vtkCollection()
        application.SetSliceLogics(self._slice_logics)
        application.SetViewLogics(vtk.vtkCollection())
        self._widgets: dict[str, SliceWidget] = {}
        scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._node_added)
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self.sliceViewNames()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_added(self, _caller: Any, _event: str, node: Any) -> None:
        if node.IsA("vtkMRMLSliceNode"):
            self._slice_widget(node.GetLayoutName())

    def layoutLogic(self) -> Any:
        return self._logic

    def mrmlSliceLogics(self) -> Any:
        self.sliceViewNames()
        return self._slice_logics

    def setLayout(self, layout_id: int) -> None:
        self._logic.GetLayoutNode().SetViewArrangement(layout_id)

    @property
    def layout(self) -> int:
        return self._logic.GetLayoutNode().GetViewArrangement()

    def sliceViewNames(self) -> list[str]:
        shown = self._logic.GetViewNodes()
        nodes = [shown.GetItemAsObject(i) for i in range(shown.GetNumberOfItems())]
        names = [node.GetLayoutName() for node in nodes if node.IsA("vtkMRMLSliceNode")]
        for name in names:
            self._slice_widget(name)
        return names

    def _slice_widget(self, name: str) -> SliceWidget | None:
        node = next((n for n in slicer.util.getNodesByClass("vtkMRMLSliceNode") if n.GetLayoutName() == name), None)
        if node is None:
            return None
        widget = self._widgets.get(name)
        if widget is None or widget.mrmlSliceNode() is not node:
            if widget is not None:
                self._slice_logics.RemoveItem(widget.sliceLogic())
            node.AddDefaultSliceOrientationPresets(self._scene, True)
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(self._application)
            self._slice_logics.AddItem(logic)
            logic.SetMRMLScene(self._scene)
            logic.SetSliceNode(node)
            widget = self._widgets[name] = SliceWidget(logic)
        return widget

    def sliceWidget(self, name: str) -> SliceWidget | None:
        self.sliceViewNames()
        return self._slice_widget(name)

    @property
    def plotViewCount(self) -> int:
        return len(slicer.util.getNodesByClass("vtkMRMLPlotViewNode"))

    def plotWidget(self, index: int) -> Any:
        node = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")[index]
        view = SimpleNamespace(fitToContent=lambda: None)
        return SimpleNamespace(mrmlPlotViewNode=lambda: node, plotView=lambda: view)

    def resetSliceViews(self) -> None:
        for name in self.sliceViewNames():
            self._widgets[name].fitSliceToBackground()
