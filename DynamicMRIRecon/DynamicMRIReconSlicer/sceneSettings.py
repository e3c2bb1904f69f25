"""The panel's settings in the scene, so that they are saved and loaded with it."""

from __future__ import annotations

import json
from typing import Any


class SceneSettings:
    """Values by name in the module's parameter node, as JSON text; nodes as node references.

    Parameters
    ----------
    node
        The module's ``vtkMRMLScriptedModuleNode``.
    """

    def __init__(self, node: Any) -> None:
        self.node = node

    def get(self, name: str, default: Any = None) -> Any:
        """The value called ``name``; ``default`` when it was never set or cannot be understood."""
        text = self.node.GetParameter(name)
        if not text:
            return default
        try:
            return json.loads(text)
        except ValueError:
            return default

    def set(self, name: str, value: Any) -> None:
        """Keep a JSON-able value."""
        text = json.dumps(value)
        if self.node.GetParameter(name) != text:
            self.node.SetParameter(name, text)

    def getNode(self, role: str) -> Any:
        """The node kept under ``role``, or None."""
        return self.node.GetNodeReference(role)

    def setNode(self, role: str, node: Any) -> None:
        """Keep a node of the scene, or None."""
        self.node.SetNodeReferenceID(role, node.GetID() if node is not None else None)

    def getNodes(self, role: str) -> list[Any]:
        """The nodes kept under ``role``."""
        count = self.node.GetNumberOfNodeReferences(role)
        found = [self.node.GetNthNodeReference(role, index) for index in range(count)]
        return [node for node in found if node is not None]

    def setNodes(self, role: str, nodes: list[Any]) -> None:
        """Keep several nodes of the scene."""
        if self.getNodes(role) == nodes:
            return
        self.node.RemoveNodeReferenceIDs(role)
        for node in nodes:
            self.node.AddNodeReferenceID(role, node.GetID())
