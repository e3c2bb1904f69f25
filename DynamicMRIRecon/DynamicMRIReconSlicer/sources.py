"""What reconstructions are made from: files, nodes of the scene, series, stacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import provenance, sequenceReader, stackNodes
from DynamicMRIReconSlicer.fileReader import filePath
from DynamicMRIReconSlicer.stackNodes import Stacks
from DynamicMRIReconSlicer.translation import tr as _


def dataOf(source: Any) -> Path | ImageSeries | Stacks:
    """The file or the images of a source, whatever it is (see ``ReconstructionLogic.startReconstruction``).

    Raises
    ------
    InputError
        It is not there, or nothing that can be reconstructed.
    """
    if isinstance(source, ImageSeries | Stacks):
        return source
    if isinstance(source, (list, tuple)):
        return stackNodes.read(list(source))
    if isinstance(source, (str, Path)):
        path = Path(source).expanduser()
        if not path.exists():
            raise InputError(_("{path} does not exist: check the name.").format(path=path))
        return path
    named = filePath(source)
    return sequenceReader.toSeries(source) if named is None else dataOf(named)


def nameOf(source: Any) -> str:
    """What results are called after."""
    if isinstance(source, (str, Path)):
        return Path(source).name.split(".")[0]
    if isinstance(source, ImageSeries):
        return str(source.metadata.get("source", "Series"))
    if isinstance(source, (list, tuple)):
        return str(source[0].GetName()) if source else "Stacks"
    if isinstance(source, Stacks):
        return str(source.images[0].metadata.get("source", "Stacks"))
    path = filePath(source)
    return path.name.split(".")[0] if path is not None else str(source.GetName())


def inputOf(sequence: Any) -> Any:
    """What a result was made from: a node of the scene, several of them, or a path.

    Raises
    ------
    InputError
        It is gone, or was never in the scene or in a file.
    """
    path = provenance.request(sequence)["path"]
    if provenance.takesStacks(sequence):
        return _stacksOf(sequence)
    node = sequence.GetNodeReference(provenance.INPUT)
    if node is not None:
        return node
    if path is None:
        raise InputError(
            _("The images that {sequence} was made from are not in the scene any more.").format(
                sequence=sequence.GetName()
            )
        )
    if not Path(path).exists():
        raise InputError(
            _("The file {path} that {sequence} was made from is not there any more.").format(
                path=path, sequence=sequence.GetName()
            )
        )
    return Path(path)


def _stacksOf(sequence: Any) -> list[Any]:
    role = provenance.INPUT
    references = range(sequence.GetNumberOfNodeReferences(role))
    nodes = [sequence.GetNthNodeReference(role, number) for number in references]
    if len(nodes) < 2 or any(node is None for node in nodes):
        raise InputError(
            _("A stack that {sequence} was made from is not in the scene any more.").format(sequence=sequence.GetName())
        )
    return nodes
