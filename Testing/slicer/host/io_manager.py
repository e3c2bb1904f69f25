"""``slicer.app.coreIOManager()``: which reader takes a file, loading, saving; scripted readers included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

SUFFIXES = {
    "SceneFile": (".mrml", ".mrb"),
    "SequenceFile": (".seq.nrrd", ".seq.nhdr", ".seq.mrb", ".seq.mrml"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha"),
    "MarkupsFile": (".mrk.json",),
    "TableFile": (".csv", ".tsv"),
    "TextFile": (".txt", ".json"),
}


class ReaderParent:
    """What a scripted reader's ``parent`` offers."""

    def __init__(self) -> None:
        self.loadedNodes: list[str] = []
        self._messages = slicer.vtkMRMLMessageCollection()

    def userMessages(self) -> Any:
        return self._messages


class CoreIOManager:
    """Readers and writers by file type."""

    def __init__(self, scene: Any, sequences_logic: Any) -> None:
        self._scene, self._sequences = scene, sequences_logic
        self._scripted: dict[str, tuple[Any, ReaderParent]] = {}

    def register_scripted_reader(self, reader_class: type) -> Any:
        parent = ReaderParent()
        reader = reader_class(parent)
        self._scripted[reader.fileType()] = (reader, parent)
        return reader

    def _suffixes(self, reader: Any) -> list[str]:
        patterns = [text[text.index("(") + 1 : text.rindex(")")].split() for text in reader.extensions()]
        return [pattern.lstrip("*").lower() for group in patterns for pattern in group]

    def fileType(self, path: Any) -> str:
        """The type with the longest matching suffix; a scripted reader must also say that it can."""
        name = Path(str(path)).name.lower()
        found = [(len(end), kind) for kind, ends in SUFFIXES.items() for end in ends if name.endswith(end)]
        for kind, (reader, _parent) in self._scripted.items():
            lengths = [len(end) for end in self._suffixes(reader) if name.endswith(end)]
            if lengths and (not hasattr(reader, "canLoadFile") or reader.canLoadFile(str(path))):
                found.append((max(lengths), kind))
        return max(found)[1] if found else "NoFile"

    def loadNodes(self, kind: str, properties: dict[str, Any], loaded: Any = None, messages: Any = None) -> bool:
        path = properties["fileName"]
        if kind in self._scripted:
            nodes = self._load_scripted(kind, properties, messages)
        elif kind == "SceneFile":
            return self._load_scene(path, bool(properties.get("clear")))
        else:
            nodes = self._load_plain(kind, path)
        for node in nodes or []:
            if loaded is not None:
                loaded.AddItem(node)
        return bool(nodes)

    def _load_scripted(self, kind: str, properties: dict[str, Any], messages: Any) -> list[Any] | None:
        reader, parent = self._scripted[kind]
        parent.loadedNodes = []
        parent.userMessages().ClearMessages()
        done = reader.load(properties)
        if messages is not None:
            for i in range(parent.userMessages().GetNumberOfMessages()):
                messages.AddMessage(
                    parent.userMessages().GetNthMessageType(i), parent.userMessages().GetNthMessageText(i)
                )
        return [self._scene.GetNodeByID(node_id) for node_id in parent.loadedNodes] if done else None

    def _load_scene(self, path: str, clear: bool) -> bool:
        if path.endswith(".mrb"):
            return bool(self._scene.ReadFromMRB(path, clear))
        self._scene.SetURL(path)
        return bool(self._scene.Connect() if clear else self._scene.Import())

    def _load_plain(self, kind: str, path: str) -> list[Any]:
        if not Path(path).exists():
            return []
        if kind == "SequenceFile":
            node = self._sequences.AddSequence(path)
            if node is None:
                return []
            browser = self._scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", node.GetName() + " browser")
            browser.SetAndObserveMasterSequenceNodeID(node.GetID())
            return [node]
        classes = {
            "VolumeFile": "vtkMRMLScalarVolumeNode",
            "MarkupsFile": "vtkMRMLMarkupsFiducialNode",
            "TableFile": "vtkMRMLTableNode",
            "TextFile": "vtkMRMLTextNode",
        }
        node = self._scene.AddNewNodeByClass(classes[kind], Path(path).name.split(".")[0])
        node.AddDefaultStorageNode()
        node.GetStorageNode().SetFileName(path)
        return [node] if node.GetStorageNode().ReadData(node) else []

    def fileWriterFileType(self, _node: Any) -> str:
        return "NodeFile"

    def saveNodes(self, kind: str, properties: dict[str, Any], messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if kind == "SceneFile":
            if path.endswith(".mrb"):
                return bool(self._scene.WriteToMRB(path))
            self._scene.SetURL(path)
            return bool(self._scene.Commit(path))
        node = self._scene.GetNodeByID(properties["nodeID"])
        storage = node.CreateDefaultStorageNode()
        storage.SetScene(self._scene)
        storage.SetFileName(path)
        done = bool(storage.WriteData(node))
        for i in range(storage.GetUserMessages().GetNumberOfMessages()):
            if messages is not None:
                messages.AddMessage(
                    storage.GetUserMessages().GetNthMessageType(i), storage.GetUserMessages().GetNthMessageText(i)
                )
        return done
