"""Stacks of the scene: which volumes may be one, their masks, and what the library gets of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import regionCurves, sequenceReader, stackRegistration
from DynamicMRIReconSlicer.translation import tr as _

#: role of a stack's reference to its mask: kept with the scene
MASK = "DynamicMRIRecon.Mask"
MASK_TYPES = ("vtkMRMLLabelMapVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLScalarVolumeNode")
#: fewer voxels along an axis are no stack
_FEWEST = 2


@dataclass(frozen=True)
class Stacks:
    """Several stacks as the library takes them.

    Attributes
    ----------
    images
        One series of one frame each, where it lies now.
    masks
        On the same grids, 1 where the stack counts; None where everything does.
    nodes
        The volumes they come from; empty when they come from elsewhere.
    """

    images: list[ImageSeries]
    masks: list[ImageSeries | None] = field(default_factory=list)
    nodes: tuple[Any, ...] = ()


def offered(node: Any) -> bool:
    """Whether a volume may be a stack: grey values, several slices, no frame of a movie and no M-mode."""
    if not sequenceReader.isSeries(node) or node.IsA("vtkMRMLLabelMapVolumeNode") or node.GetHideFromEditors():
        return False
    logic = slicer.modules.sequences.logic()
    if logic.GetFirstBrowserNodeForProxyNode(node) is not None:
        return False
    return min(node.GetImageData().GetDimensions()) >= _FEWEST


def maskOf(stack: Any) -> Any:
    """The node that is the mask of ``stack``, or None."""
    return stack.GetNodeReference(MASK)


def setMask(stack: Any, mask: Any) -> None:
    """Keep ``mask``, or None, with ``stack``."""
    wanted = mask.GetID() if mask is not None else None
    if stack.GetNodeReferenceID(MASK) != wanted:
        stack.SetNodeReferenceID(MASK, wanted)


def read(nodes: list[Any], *, registered: bool = True) -> Stacks:
    """The volumes with their masks, where they lie now, or where they lay before their registration.

    A mask belongs to its stack: it lies where it was drawn and moves with the registration of the stack.

    Raises
    ------
    InputError
        A volume is under a deforming transform, or its mask is no mask.
    """
    images, masks = [], []
    for node in nodes:
        motion = stackRegistration.motionOf(node) if registered else np.eye(4)
        image = stackRegistration.before(node)
        mask = _mask(node, image)
        images.append(replace(image, affine=motion @ image.affine))
        masks.append(None if mask is None else replace(mask, affine=motion @ mask.affine))
    return Stacks(images, masks, tuple(nodes))


def describe(nodes: list[Any]) -> dict[str, Any]:
    """What ``DynamicMRIReconLib.io.describe`` tells of stacks, without looking at their voxels."""
    parts = []
    for node in nodes:
        x, y, z = node.GetImageData().GetDimensions()
        affine = sequenceReader.affineOf(node)
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        parts.append(
            {
                "kind": "series",
                "source": node.GetName(),
                "axes": [{"name": name, "size": size} for name, size in zip("tzyx", (1, z, y, x), strict=True)],
                "matrix": [z, y, x],
                "spacing_mm": spacing.tolist(),
                "affine": affine.tolist(),
                "frames": 1,
                "warnings": [],
            }
        )
    return {"kind": "stacks", "stacks": parts, "warnings": []}


def _mask(node: Any, image: ImageSeries) -> ImageSeries | None:
    mask = maskOf(node)
    if mask is None:
        return None
    if mask.IsA("vtkMRMLSegmentationNode"):
        inside = regionCurves.maskOf(image, mask)
        return ImageSeries(inside[None].astype(np.float32), image.affine, image.times_s)
    found = stackRegistration.before(mask)
    if not found.array.any():
        raise InputError(
            _("The mask {mask} of {stack} is empty: draw it, or choose none.").format(
                mask=mask.GetName(), stack=node.GetName()
            )
        )
    return ImageSeries((found.array > 0).astype(np.float32), found.affine, found.times_s)
