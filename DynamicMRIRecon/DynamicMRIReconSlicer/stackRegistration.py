"""The registration of stacks in the scene: a linear transform node above each stack that was moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs import files
from DynamicMRIReconSlicer import sequenceReader
from DynamicMRIReconSlicer.translation import tr as _

#: attribute of a transform node that this module made
REGISTRATION = "DynamicMRIRecon.Registration"
#: roles of its references: the fixed stack, and the transform that was above the stack before
_FIXED, _BEFORE = "DynamicMRIRecon.RegisteredTo", "DynamicMRIRecon.TransformBefore"
#: more than this is worth a look
MUCH_MM, MUCH_DEGREES = 30.0, 25.0


@dataclass(frozen=True)
class Motions:
    """What a registration job found.

    Attributes
    ----------
    matrices
        (4, 4) RAS mm of each stack, from where it lay to where it was registered.
    """

    matrices: list[np.ndarray]
    warnings: tuple[str, ...] = ()


def load(request: Any, folder: Path, event: dict[str, Any], warnings: list[str]) -> Motions:
    """The motions that a finished job tells; in place of ``results.loadResult``."""
    from DynamicMRIReconLib import io

    stacks = io.read(folder / files.RESULT).metadata["stacks"]
    return Motions([np.array(stack["matrix_ras"], float) for stack in stacks], tuple(warnings))


def before(node: Any) -> ImageSeries:
    """A volume where it lay before its registration; one that was not registered, where it lies."""
    series = sequenceReader.toSeries(node)
    return replace(series, affine=np.linalg.inv(motionOf(node)) @ series.affine)


def motionOf(node: Any) -> np.ndarray:
    """(4, 4) RAS: what the registration of a volume moved it by; the identity when it was not registered."""
    own = transformOf(node)
    if own is None:
        return np.eye(4)
    return _toWorld(own) @ np.linalg.inv(_toWorld(own.GetNodeReference(_BEFORE)))


def transformOf(node: Any) -> Any:
    """The transform node with which this module registered a volume, or None."""
    transform = node.GetParentTransformNode()
    return transform if transform is not None and transform.GetAttribute(REGISTRATION) else None


def apply(stacks: list[Any], fixed: Any, motions: Motions) -> None:
    """Put every stack but the fixed one under a linear transform of its own; the fixed one goes back to its place."""
    undo([fixed])
    for node, matrix in zip(stacks, motions.matrices, strict=True):
        if node is fixed:
            continue
        own = transformOf(node)
        if own is None:
            previous = node.GetParentTransformNode()
            name = slicer.mrmlScene.GenerateUniqueName(_("Registration of {name}").format(name=node.GetName()))
            own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
            own.SetNodeReferenceID(_BEFORE, previous.GetID() if previous is not None else None)
        own.SetAttribute(REGISTRATION, "1")
        own.SetNodeReferenceID(_FIXED, fixed.GetID())
        both = np.asarray(matrix) @ _toWorld(own.GetNodeReference(_BEFORE))
        own.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(both))
        node.SetAndObserveTransformNodeID(own.GetID())


def undo(stacks: list[Any]) -> None:
    """Put stacks back to where they lay before their registration, and remove its transforms."""
    for node in stacks:
        own = transformOf(node)
        if own is not None:
            previous = own.GetNodeReference(_BEFORE)
            node.SetAndObserveTransformNodeID(previous.GetID() if previous is not None else None)
            slicer.mrmlScene.RemoveNode(own)


def registeredTo(stacks: list[Any], fixed: Any) -> bool:
    """Whether all stacks but ``fixed`` lie where a registration onto ``fixed`` put them, and that one was not moved."""
    if len(stacks) < 2 or transformOf(fixed) is not None:
        return False
    own = [transformOf(node) for node in stacks if node is not fixed]
    return all(one is not None and one.GetNodeReference(_FIXED) is fixed for one in own)


def size(node: Any) -> tuple[float, float]:
    """How far the middle of a registered volume was moved, in mm, and by what angle it was turned, in degrees."""
    motion = motionOf(node)
    middle = (np.array(node.GetImageData().GetDimensions()) - 1) / 2
    now = sequenceReader.affineOf(node) @ np.append(middle, 1)
    shift = (now - np.linalg.inv(motion) @ now)[:3]
    cosine = (np.trace(motion[:3, :3]) - 1) / 2
    # near no turn the sine is exact where the cosine is not
    sine = np.linalg.norm(motion[:3, :3] - motion[:3, :3].T) / (2 * np.sqrt(2))
    return float(np.linalg.norm(shift)), float(np.degrees(np.arctan2(sine, cosine)))


def outcome(node: Any, fixed: Any) -> str:
    """What the registration did to a volume, in a few words; empty when nothing was done."""
    own = transformOf(node)
    if own is None:
        return ""
    shift, turn = size(node)
    text = _("{shift:.1f} mm, {turn:.1f} degrees").format(shift=shift, turn=turn)
    other = own.GetNodeReference(_FIXED)
    if other is not fixed:
        name = other.GetName() if other is not None else _("a stack that is gone")
        return _("{text} (onto {name})").format(text=text, name=name)
    if shift > MUCH_MM or turn > MUCH_DEGREES:
        return _("{text} (much: look at it)").format(text=text)
    return text


def _toWorld(transform: Any) -> np.ndarray:
    if transform is None:
        return np.eye(4)
    matrix = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformToWorld(matrix)
    return np.asarray(slicer.util.arrayFromVTKMatrix(matrix))
