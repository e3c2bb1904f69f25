"""Texts at places of a picture in a slice view, such as the scales of an M-mode: locked points of a markups node."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from DynamicMRIReconLib.profiles import MMode
from DynamicMRIReconSlicer.mmodeImage import place

_SCALES = "DynamicMRIRecon.Scales"
_TICKS = 6
_COLOUR = (1.0, 0.85, 0.35)


def updateScales(volume: Any, mmode: MMode) -> Any:
    """Times along the bottom and positions along the left of an M-mode volume, at round numbers."""
    length, first, last = float(mmode.positions_mm[-1]), float(mmode.times_s[0]), float(mmode.times_s[-1])
    texts = [(place(mmode, time, length), f"{time:g} s") for time in ticks(first, last)]
    # The first position would stand above the view, the last where the times begin.
    texts += [(place(mmode, first, position), f"{position:g} mm") for position in ticks(0.02 * length, 0.9 * length)]
    return update(volume, _SCALES, f"Scales of {volume.GetName()}", texts)


def update(volume: Any, role: str, name: str, texts: list[tuple[tuple[float, float, float], str]]) -> Any:
    """The markups node of this role with a point and a text at each place (RAS); shown nowhere until ``restrict``."""
    node = volume.GetNodeReference(role)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
        node.SetSaveWithScene(True)
        volume.SetNodeReferenceID(role, node.GetID())
        node.CreateDefaultDisplayNodes()
        _style(node.GetDisplayNode())
    was = node.StartModify()
    node.SetLocked(False)
    node.RemoveAllControlPoints()
    for place_, text in texts:
        node.AddControlPointWorld(vtk.vtkVector3d(*place_), text)
    node.SetLocked(True)
    node.EndModify(was)
    return node


def scalesOf(volume: Any) -> Any:
    """The scales of an M-mode volume, or None."""
    return volume.GetNodeReference(_SCALES)


def restrict(node: Any, sliceNode: Any) -> None:
    """Show the texts in this view and in no other."""
    if node is None:
        return
    display = node.GetDisplayNode()
    display.RemoveAllViewNodeIDs()
    display.AddViewNodeID(sliceNode.GetID())
    display.SetVisibility(True)


def ticks(first: float, last: float) -> list[float]:
    """Up to six round numbers from ``first`` to ``last``."""
    if not last > first:
        return [first]
    step = 10 ** np.floor(np.log10((last - first) / _TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (last - first) / (step * factor) <= _TICKS)
    numbers = step * np.arange(np.ceil(first / step - 1e-9), np.floor(last / step + 1e-9) + 1)
    return [float(round(number, 9)) + 0.0 for number in numbers]


def _style(display: Any) -> None:
    display.SetVisibility(False)
    display.SetVisibility3D(False)
    display.SetPointLabelsVisibility(True)
    display.SetPropertiesLabelVisibility(False)
    display.SetGlyphTypeFromString("Cross2D")
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(1.5)
    display.SetTextScale(2.5)
    display.SetColor(*_COLOUR)
    display.SetSelectedColor(*_COLOUR)
