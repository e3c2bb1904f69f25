"""k-space files in Slicer's own ways of opening files: a node that stands for the file, the panel does the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk

from DynamicMRIReconSlicer.translation import tr as _

PATH_ATTRIBUTE = "DynamicMRIRecon.KSpacePath"
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_NPZ_MAGIC = b"PK\x03\x04"
_SUFFIXES = (".h5", ".npz", ".cfl", ".mat")


class KSpaceFileReader:
    """What Slicer asks of a reader; ``parent`` is Slicer's side of it."""

    DESCRIPTION = _("k-space for dynamic MRI reconstruction")
    FILE_TYPE = "DynamicMRIKSpace"
    EXTENSIONS = [_("MR raw data (*.h5)"), _("NumPy k-space (*.npz)"), _("BART (*.cfl)"), _("MATLAB k-space (*.mat)")]

    def __init__(self, parent: Any) -> None:
        self.parent = parent

    def canLoadFile(self, filePath: str) -> bool:
        """By suffix and first bytes only: a scan may have many gigabytes."""
        path = Path(filePath)
        suffix = path.suffix.lower()
        if suffix not in _SUFFIXES or not path.is_file():
            return False
        if suffix in (".h5", ".npz"):
            with path.open("rb") as file:
                return file.read(8).startswith(_HDF5_MAGIC if suffix == ".h5" else _NPZ_MAGIC)
        return suffix != ".cfl" or path.with_suffix(".hdr").is_file()

    def load(self, properties: dict[str, Any]) -> bool:
        """Add the node; its content is read when a reconstruction starts."""
        path = Path(properties["fileName"])
        if not self.canLoadFile(str(path)):
            self.parent.userMessages().AddMessage(
                vtk.vtkCommand.ErrorEvent,
                _("{name} cannot be read as k-space; it may be damaged or of another kind.").format(name=path.name),
            )
            return False
        node = addFileNode(path)
        self.parent.loadedNodes = [node.GetID()]
        return True


def addFileNode(path: Path) -> Any:
    """A text node that stands for the k-space in ``path``; the panel offers it as input."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", slicer.mrmlScene.GenerateUniqueName(path.name))
    node.SetAttribute(PATH_ATTRIBUTE, str(path.absolute()))
    node.SetText(
        _(
            "k-space file {path}\nOpen the module Dynamic MRI Reconstruction to see what it holds and to "
            "reconstruct it."
        ).format(path=path.absolute())
    )
    return node


def filePath(node: Any) -> Path | None:
    """The file that a node stands for, or None when it is no such node."""
    text = node.GetAttribute(PATH_ATTRIBUTE) if node is not None and node.IsA("vtkMRMLTextNode") else None
    return Path(text) if text else None
