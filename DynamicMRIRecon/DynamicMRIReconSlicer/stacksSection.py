"""Section Stacks: which volumes, the fixed one, their registration, and the methods' results side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qt
import slicer
import vtk
from slicer.util import VTKObservationMixin

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import compareView, costEstimate, sequenceReader, stackNodes, stackRegistration
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.stackTable import StackTable
from DynamicMRIReconSlicer.translation import tr as _

_EMPTY = _(
    "One sharp volume from several thick-slice stacks. There is no volume in the scene yet: load two or more of the "
    "same body part (Add Data or DICOM)."
)
_HINT = _(
    "Tick two or more stacks of the same body part, best in different orientations, then pick a method for stacks."
)


class StacksSection(VTKObservationMixin):
    """Knows which stacks of the scene one volume is to be made of.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    changed
        Called whenever the choice changes.
    register
        Called when the ticked stacks shall be registered.
    """

    def __init__(self, ui: Any, changed: Callable[[], None], register: Callable[[], None]) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self._changed = changed
        self._quiet = self._gone = False
        self._fixedIds: list[str] = []
        self._fixedId: str | None = None
        self.table = StackTable(ui.stacksTable, self._edited)
        ui.fixedStackCombo.currentIndexChanged.connect(self._fixedPicked)
        ui.stackGridSelector.currentNodeChanged.connect(self._edited)
        ui.registerButton.clicked.connect(lambda *_: register())
        ui.undoRegistrationButton.clicked.connect(lambda *_: self.undo())
        ui.showStacksButton.clicked.connect(lambda *_: compareView.showStacks(self.stacks()))
        ui.compareMethodsButton.clicked.connect(lambda *_: self.compare())
        for event in (slicer.mrmlScene.NodeAddedEvent, slicer.mrmlScene.NodeRemovedEvent):
            self.addObserver(slicer.mrmlScene, event, self._volumesChange)
        self.table.refresh()

    def stacks(self) -> list[Any]:
        """The ticked volumes."""
        return self.table.stacks()

    def fixed(self) -> Any:
        """The stack that stays; None while none is ticked."""
        stacks = self.stacks()
        return next((one for one in stacks if one.GetID() == self._fixedId), stacks[0] if stacks else None)

    def description(self) -> dict[str, Any] | None:
        """Of the ticked stacks, in the terms of ``DynamicMRIReconLib.io.describe``; None while there is a problem."""
        return stackNodes.describe(self.stacks()) if self.problem() is None else None

    def problem(self) -> str | None:
        """Why the ticked stacks cannot be used."""
        stacks = self.stacks()
        if not stacks:
            return _("Tick two or more image stacks under Stacks.")
        if len(stacks) == 1:
            return _(
                "One stack only is ticked, {name}: tick two or more of the same body part, best in different "
                "orientations."
            ).format(name=stacks[0].GetName())
        try:
            description = stackNodes.describe(stacks)
            _checkOverlap(description, stacks.index(self.fixed()) + 1)
        except InputError as error:
            return str(error)
        return None

    def source(self) -> stackNodes.Stacks:
        """The ticked stacks where they lie now, with their masks.

        Raises
        ------
        InputError
            A mask is empty or no mask.
        """
        return stackNodes.read(self.stacks())

    def parameters(self) -> dict[str, Any]:
        """What this section says of a reconstruction, over the method's form."""
        stacks, fixed = self.stacks(), self.fixed()
        values: dict[str, Any] = {"fixed_stack": stacks.index(fixed) + 1}
        if stackRegistration.registeredTo(stacks, fixed):
            values["registration"] = "none"
        grid = self.ui.stackGridSelector.currentNode()
        if grid is not None and grid.IsA("vtkMRMLMarkupsROINode"):
            bounds = np.zeros(6)
            grid.GetRASBounds(bounds)
            values["region_mm"] = [float(bound) for bound in bounds]
        elif grid is not None:
            x, y, z = grid.GetImageData().GetDimensions()
            values["grid"] = {"shape": [z, y, x], "affine": sequenceReader.affineOf(grid).tolist()}
        return values

    def undo(self) -> None:
        """Put the ticked stacks back."""
        stackRegistration.undo(self.stacks())
        self._changed()

    def compare(self, sequence: Any = None) -> None:
        """Show the fixed stack and the methods' results side by side."""
        try:
            text = compareView.show(sequence, self.fixed() if sequence is None else None)
        except InputError as error:
            text = str(error)
        self._open()
        self.ui.compareMethodsLabel.setText(text)
        self.ui.compareMethodsLabel.setVisible(True)

    def show(self) -> None:
        """Bring the widgets in line with what is ticked."""
        stacks = self.stacks()
        self._fillFixed(stacks)
        fixed = self.fixed()
        self.table.showOutcome(fixed)
        empty = self.table.isEmpty()
        problem = self.problem()
        ui = self.ui
        ui.stacksHintLabel.setText(_EMPTY if empty else _HINT)
        ui.stacksHintLabel.setVisible(empty or len(stacks) < 2)
        for widget in (ui.stacksTable, ui.fixedStackLabel, ui.fixedStackCombo, ui.stackGridLabel, ui.stackGridSelector):
            widget.setVisible(not empty)
        for widget in (ui.registerButton, ui.undoRegistrationButton, ui.showStacksButton):
            widget.setVisible(not empty)
        ui.registerButton.setEnabled(problem is None)
        ui.showStacksButton.setEnabled(bool(stacks))
        moved = [node for node in stacks if stackRegistration.transformOf(node) is not None]
        ui.undoRegistrationButton.setEnabled(bool(moved))
        text = self._words(stacks, fixed, moved, problem)
        ui.stacksLabel.setText(text)
        ui.stacksLabel.setVisible(bool(text))
        ui.compareMethodsButton.setEnabled(bool(compareView.resultsOf()))
        if not compareView.isShown():
            ui.compareMethodsLabel.setText("")
            ui.compareMethodsLabel.setVisible(False)

    def methodPicked(self, method: dict[str, Any]) -> None:
        """Unfold for a method on stacks."""
        if method["input_kind"] == "stacks":
            self._open()

    def save(self, settings: SceneSettings) -> None:
        """Keep the choices in the scene."""
        settings.setNodes("Stacks", self.stacks())
        settings.setNode("FixedStack", self.fixed())
        settings.setNode("StackGrid", self.ui.stackGridSelector.currentNode())

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        self._quiet = True
        fixed = settings.getNode("FixedStack")
        self._fixedId = fixed.GetID() if fixed is not None else None
        self.table.setStacks(settings.getNodes("Stacks"))
        self.ui.stackGridSelector.setCurrentNode(settings.getNode("StackGrid"))
        self._quiet = False
        if self.stacks():
            self._open()

    def cleanup(self) -> None:
        """The panel goes: observe nothing."""
        self._gone = True
        self.removeObservers()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _volumesChange(self, _caller: Any, _event: str, node: Any) -> None:
        # A volume gets its voxels after it was added, and is still there while it goes.
        if node is not None and (node.IsA("vtkMRMLVolumeNode") or node.IsA("vtkMRMLSegmentationNode")):
            qt.QTimer.singleShot(0, self._follow)

    def _follow(self) -> None:
        if not self._gone and not slicer.mrmlScene.IsBatchProcessing():
            self.table.refresh()
            self._changed()

    def _open(self) -> None:
        self.ui.stacksCollapsibleButton.setProperty("collapsed", False)

    def _fillFixed(self, stacks: list[Any]) -> None:
        ids = [node.GetID() for node in stacks]
        combo = self.ui.fixedStackCombo
        combo.blockSignals(True)
        combo.clear()
        for node in stacks:
            combo.addItem(node.GetName())
        self._fixedIds = ids
        if ids:
            combo.setCurrentIndex(ids.index(self._fixedId) if self._fixedId in ids else 0)
        combo.setEnabled(len(ids) > 1)
        combo.blockSignals(False)

    def _words(self, stacks: list[Any], fixed: Any, moved: list[Any], problem: str | None) -> str:
        """What is wrong with the stacks, or how they were registered."""
        if len(stacks) < 2:
            return ""
        if problem is not None:
            return problem
        if not moved:
            return _("Not registered yet: press Register to see it, or let Reconstruct do it on the way.")
        told = [f"{node.GetName()}: {stackRegistration.outcome(node, fixed)}." for node in moved if node is not fixed]
        if stackRegistration.registeredTo(stacks, fixed):
            ending = _("Reconstruct takes the stacks where they lie now and does not register them again.")
            return " ".join([_("Registered onto {name}.").format(name=fixed.GetName()), *told, ending])
        ending = _("Not all are registered onto {name}: press Register again, or Undo.").format(name=fixed.GetName())
        return " ".join([*told, ending])

    def _fixedPicked(self, *_: Any) -> None:
        index = int(self.ui.fixedStackCombo.property("currentIndex"))
        if not self._quiet and 0 <= index < len(self._fixedIds):
            self._fixedId = self._fixedIds[index]
            self._edited()

    def _edited(self, *_: Any) -> None:
        if not self._quiet and not slicer.mrmlScene.IsClosing():
            self._changed()


def _checkOverlap(description: dict[str, Any], fixedNumber: int) -> None:
    try:
        from DynamicMRIReconLib.methods.common.stack_checks import check_overlap
    except ImportError:
        # The packages are not installed yet; the run itself looks at it.
        return
    check_overlap(costEstimate.standIn(description), fixedNumber)
