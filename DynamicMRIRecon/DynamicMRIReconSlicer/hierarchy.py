"""One folder of the subject hierarchy for each run, so that what belongs together stays together."""

from __future__ import annotations

from typing import Any

import slicer

RUN = "DynamicMRIRecon.Run"


def folder(name: str) -> int:
    """The item of a new folder called ``name``."""
    tree = _tree()
    return int(tree.CreateFolderItem(tree.GetSceneItemID(), name))


def put(item: int, *nodes: Any) -> None:
    """Move nodes into a folder. Nodes that the hierarchy does not show (sequences, browsers) are left out."""
    tree = _tree()
    for node in nodes:
        place = tree.GetItemByDataNode(node) if node is not None else 0
        if place:
            tree.SetItemParent(place, item)


def folderOf(node: Any) -> int:
    """The folder that ``node`` lies in; 0 when it lies in none."""
    tree = _tree()
    place = tree.GetItemByDataNode(node) if node is not None else 0
    parent = tree.GetItemParent(place) if place else 0
    return int(parent) if parent and parent != tree.GetSceneItemID() else 0


def _tree() -> Any:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
