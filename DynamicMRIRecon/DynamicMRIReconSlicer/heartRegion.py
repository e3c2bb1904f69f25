"""The heart's region as a box (ROI) of the scene: drawn where the voxels are, and read back as voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.cardiac.beats import find_beats
from DynamicMRIReconLib.cardiac.region import heart_box, published_box
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import sequenceReader
from DynamicMRIReconSlicer.translation import tr as _

#: rules of ``evaluation.cardiac.figures_by_rule``, and what their boxes are called
RULES = {"auto": _("automatic"), "published": _("published")}
COLOUR_NAMES = {"auto": _("green"), "published": _("orange")}
NODE_TYPE = "vtkMRMLMarkupsROINode"
_ROLE = "DynamicMRIRecon.HeartRegion"
_COLOURS = {"auto": (0.15, 0.75, 0.35), "published": (0.95, 0.6, 0.1)}
#: of a voxel: a face that lies so near to a voxel's middle counts as beyond it
_NEAR = 1e-6


def find(series: ImageSeries, beats: float | None = None) -> dict[str, tuple[int, int, int, int]]:
    """The boxes (x0, y0, x1, y1) in voxels, ends excluded, by rule; without those that cannot be found.

    ``beats`` is how many heartbeats the series has; None finds out.

    Raises
    ------
    InputError
        Nothing moves.
    """
    array = series.magnitude().array
    beat = find_beats(array).frames_per_beat if beats is None else len(array) / beats
    found = {"auto": heart_box(array, beat)}
    try:
        found["published"] = published_box(array)
    except InputError:
        # Frames 0 and T/2 can be alike, as in a series of two beats.
        return found
    return found


def show(series: ImageSeries, rule: str, box: tuple[int, int, int, int], name: str) -> Any:
    """The ROI of a rule, its faces on the borders of the voxels, over all slices; the same node each time.

    A series lies in the world, so the ROI has no parent transform.
    """
    nodes = slicer.util.getNodesByClass(NODE_TYPE)
    node = next((one for one in nodes if one.GetAttribute(_ROLE) == rule), None)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass(NODE_TYPE)
        node.SetAttribute(_ROLE, rule)
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetSelectedColor(*_COLOURS[rule])
        display.SetColor(*_COLOURS[rule])
        display.SetFillVisibility(False)
        # Two names would lie on each other in the middle of the heart: colours tell the boxes apart.
        display.SetPropertiesLabelVisibility(False)
        display.SetPointLabelsVisibility(False)
        display.SetGlyphScale(1.0)
        # Of two boxes in one place, the handles of the one that is meant to be moved.
        display.SetHandlesInteractive(rule == "auto")
        display.SetTranslationHandleVisibility(False)
        display.SetRotationHandleVisibility(False)
        display.SetScaleHandleVisibility(True)
    node.SetAndObserveTransformNodeID(None)
    node.SetName(_("{name}, heart ({rule})").format(name=name, rule=RULES[rule]))
    # Voxel i reaches from i - 0.5 to i + 0.5: the box does from x0 - 0.5 to x1 - 0.5.
    low = np.array([box[0], box[1], 0]) - 0.5
    high = np.array([box[2], box[3], series.array.shape[1]]) - 0.5
    toNode = np.eye(4)
    toNode[:3, :3] = series.geometry.directions
    toNode[:3, 3] = series.geometry.to_ras((low + high) / 2)
    node.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(toNode))
    node.SetSize(*(float(one) for one in (high - low) * series.geometry.spacing_mm))
    return node


def boxOf(region: Any, series: ImageSeries) -> tuple[int, int, int, int]:
    """The box (x0, y0, x1, y1), ends excluded, of the voxels of ``series`` whose middle lies in the ROI.

    Of an ROI that is turned against the images it is the box around it. Slices do not matter: a box is for all.

    Raises
    ------
    InputError
        The ROI lies beside the images.
    """
    size = [0.0, 0.0, 0.0]
    region.GetSizeWorld(size)
    toWorld = slicer.util.arrayFromVTKMatrix(region.GetObjectToWorldMatrix())
    signs = np.array(list(np.ndindex(2, 2, 2))) - 0.5
    # The object's axes have no scale of their own; a parent transform's is in the size.
    axes = toWorld[:3, :3] / np.linalg.norm(toWorld[:3, :3], axis=0)
    corners = series.geometry.to_ijk(toWorld[:3, 3] + (signs * size) @ axes.T)[:, :2]
    sides = series.array.shape[:1:-1]
    low = np.maximum(np.ceil(corners.min(axis=0) - _NEAR), 0).astype(int)
    high = np.minimum(np.floor(corners.max(axis=0) + _NEAR) + 1, sides).astype(int)
    if (low >= high).any():
        raise InputError(
            _("The region {name} lies beside the images: move it, or choose none.").format(name=region.GetName())
        )
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def ruleOf(region: Any, reference: ImageSeries | Path) -> str:
    """What a job is told of a region: ``auto`` and ``published`` as they are, an ROI as voxels of the reference.

    Raises
    ------
    InputError
        The ROI lies beside the reference.
    """
    if isinstance(region, str):
        return region
    series = reference if isinstance(reference, ImageSeries) else sequenceReader.seriesOfFile(reference)
    return ",".join(map(str, boxOf(region, series)))
