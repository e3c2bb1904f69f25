"""A new line that the next two clicks in a slice view place."""

from __future__ import annotations

from typing import Any

import slicer

_CLASS = "vtkMRMLMarkupsLineNode"


def start() -> Any:
    """The line, still without points; clicks go to it from now on."""
    line = slicer.mrmlScene.AddNewNodeByClass(_CLASS, slicer.mrmlScene.GenerateUniqueName("Profile line"))
    line.CreateDefaultDisplayNodes()
    selection = slicer.app.applicationLogic().GetSelectionNode()
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    if selection is not None and interaction is not None:
        selection.SetReferenceActivePlaceNodeClassName(_CLASS)
        selection.SetActivePlaceNodeID(line.GetID())
        interaction.SetCurrentInteractionMode(interaction.Place)
    return line
