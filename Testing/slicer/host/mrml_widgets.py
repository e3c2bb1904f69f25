"""``qMRMLWidget`` and ``qMRMLNodeComboBox`` on the real MRML scene."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import vtk
from PySide6.QtCore import Property, Signal, Slot


class qMRMLWidget(qt.QWidget):
    """Hands the scene to the widgets that the .ui file connects to ``mrmlSceneChanged``, and to no other.

    The signal is declared so that the .ui file finds it; Qt cannot carry the scene of a Python process in it, so the
    loader calls ``connect_scene`` for each connection it reads.
    """

    mrmlSceneChanged = Signal("vtkMRMLScene*")

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._receivers: list[Any] = []

    def connect_scene(self, receiver: Any) -> None:
        self._receivers.append(receiver)

    def mrmlScene(self) -> Any:
        return self._scene

    @Slot("vtkMRMLScene*")
    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        for receiver in self._receivers:
            receiver.setMRMLScene(scene)


class qMRMLNodeComboBox(qt.QWidget):
    """Picks a node of the scene. Lists visible nodes of ``nodeTypes`` whose attributes fit."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeAddedByUser = Signal(object)
    nodeActivated = Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        row = qt.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._combo = qt.QComboBox(self)
        self._combo.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
        row.addWidget(self._combo)
        self._scene: Any = None
        self._observations: list[int] = []
        self._types: list[str] = []
        self._attributes: list[tuple[str, str, Any]] = []
        self._flags = {
            "noneEnabled": False,
            "addEnabled": True,
            "removeEnabled": True,
            "renameEnabled": False,
            "editEnabled": False,
            "showHidden": False,
            "selectNodeUponCreation": True,
        }
        self._child_types, self._none_text, self._base_name = True, "None", ""
        self._current_id = ""
        self._combo.activated.connect(self._picked)
        self.destroyed.connect(lambda *_, state=self.__dict__: _stop_observing(state))

    def _flag(name: str) -> Any:  # type: ignore[misc]
        def write(self: Any, value: bool) -> None:
            self._flags[name] = value
            self._refill()

        return Property(bool, lambda self: self._flags[name], write)

    noneEnabled = _flag("noneEnabled")
    addEnabled = _flag("addEnabled")
    removeEnabled = _flag("removeEnabled")
    renameEnabled = _flag("renameEnabled")
    editEnabled = _flag("editEnabled")
    showHidden = _flag("showHidden")
    selectNodeUponCreation = _flag("selectNodeUponCreation")

    def _set_types(self, types: list[str]) -> None:
        self._types = list(types)
        self._refill()

    def _set_child_types(self, shown: bool) -> None:
        self._child_types = shown
        self._refill()

    def _set_none_text(self, text: str) -> None:
        self._none_text = text
        self._refill()

    nodeTypes = Property("QStringList", lambda self: self._types, _set_types)
    showChildNodeTypes = Property(bool, lambda self: self._child_types, _set_child_types)
    hideChildNodeTypes = Property("QStringList", lambda self: [], lambda self, v: None)
    noneDisplay = Property(str, lambda self: self._none_text, _set_none_text)
    baseName = Property(str, lambda self: self._base_name, lambda self, v: setattr(self, "_base_name", v))
    currentNodeID = Property(str, lambda self: self._current_id, lambda self, v: self.setCurrentNodeID(v))

    def _nodes(self) -> list[Any]:
        if self._scene is None or not self._types:
            return []
        found = []
        for index in range(self._scene.GetNumberOfNodes()):
            node = self._scene.GetNthNode(index)
            if self._fits(node):
                found.append(node)
        return found

    def _fits(self, node: Any) -> bool:
        if not node.GetID() or (node.GetHideFromEditors() and not self._flags["showHidden"]):
            return False
        if self._child_types:
            right_type = any(node.IsA(name) for name in self._types)
        else:
            right_type = node.GetClassName() in self._types
        for node_type, name, value in self._attributes:
            if node.IsA(node_type):
                held = node.GetAttribute(name)
                if held is None or (value is not None and held != str(value)):
                    return False
        return right_type

    def _refill(self, leave_out: Any = None) -> None:
        nodes = [node for node in self._nodes() if node is not leave_out]
        self._combo.clear()
        if self._flags["noneEnabled"]:
            self._combo.addItem(self._none_text, "")
        for node in nodes:
            self._combo.addItem(node.GetName() or node.GetID(), node.GetID())
        ids = [node.GetID() for node in nodes]
        fallback = "" if self._flags["noneEnabled"] or not ids else ids[0]
        self._select(self._current_id if self._current_id in ids else fallback)

    def _select(self, node_id: str) -> None:
        self._combo.setCurrentIndex(self._combo.findData(node_id))
        if node_id != self._current_id:
            self._current_id = node_id
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(node_id)

    def _picked(self, index: int) -> None:
        self._select(self._combo.itemData(index))
        self.nodeActivated.emit(self.currentNode())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_added(self, _caller: Any, _event: str, node: Any) -> None:
        self._refill()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_removed(self, _caller: Any, _event: str, node: Any) -> None:
        self._refill(leave_out=node)

    def mrmlScene(self) -> Any:
        return self._scene

    @Slot("vtkMRMLScene*")
    def setMRMLScene(self, scene: Any) -> None:
        _stop_observing(self.__dict__)
        self._scene = scene
        if scene is not None:
            self._observations = [
                scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._node_added),
                scene.AddObserver(slicer.vtkMRMLScene.NodeRemovedEvent, self._node_removed),
                scene.AddObserver(slicer.vtkMRMLScene.EndCloseEvent, lambda *_: self._refill()),
                scene.AddObserver(slicer.vtkMRMLScene.EndImportEvent, lambda *_: self._refill()),
            ]
        self._refill()

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._current_id) if self._scene is not None and self._current_id else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    @Slot(str)
    def setCurrentNodeID(self, node_id: str) -> None:
        known = [node.GetID() for node in self._nodes()]
        self._refill()
        if node_id in known or (not node_id and self._flags["noneEnabled"]):
            self._select(node_id)

    def nodeCount(self) -> int:
        return len(self._nodes())

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        self._attributes.append((node_type, name, value))
        self._refill()

    def addNode(self, node_type: str | None = None) -> Any:
        name = self._base_name or (node_type or self._types[0]).removeprefix("vtkMRML").removesuffix("Node")
        node = self._scene.AddNewNodeByClass(node_type or self._types[0], self._scene.GenerateUniqueName(name))
        if self._flags["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node


def _stop_observing(state: dict[str, Any]) -> None:
    for tag in state["_observations"]:
        state["_scene"].RemoveObserver(tag)
    state["_observations"] = []
