"""The table of stacks: which volumes are ticked, the mask of each, and what its registration did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from DynamicMRIReconSlicer import sequenceReader, stackNodes, stackRegistration
from DynamicMRIReconSlicer.translation import tr as _

_STACK, _MASK, _MOVED = range(3)
_NO_MASK = "none"


class StackTable:
    """Offers the volumes of the scene; what is ticked stays ticked while nodes come and go.

    Parameters
    ----------
    widget
        A QTableWidget.
    changed
        Called when something is ticked or unticked, or another mask is chosen.
    """

    def __init__(self, widget: Any, changed: Callable[[], None]) -> None:
        self.widget = widget
        self._changed = changed
        self._ids: list[str] = []
        self._ticked: list[str] = []
        self._masks: list[Any] = []
        widget.setColumnCount(3)
        widget.setHorizontalHeaderLabels([_("Stack"), _("Mask"), _("Moved by")])
        widget.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        widget.setSelectionMode(qt.QAbstractItemView.NoSelection)
        widget.verticalHeader().setVisible(False)
        widget.horizontalHeader().setStretchLastSection(True)
        widget.itemChanged.connect(self._itemChanged)

    def stacks(self) -> list[Any]:
        """The ticked volumes, in the order of the table."""
        found = (slicer.mrmlScene.GetNodeByID(identifier) for identifier in self._ids if identifier in self._ticked)
        return [node for node in found if node is not None]

    def isEmpty(self) -> bool:
        """Whether the scene has no volume that may be a stack."""
        return not self._ids

    def setStacks(self, nodes: list[Any]) -> None:
        """Tick these and no others."""
        self._ticked = [node.GetID() for node in nodes if node is not None]
        self.refresh()

    def refresh(self) -> None:
        """Fill the table anew."""
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        stacks = [node for node in dict.fromkeys(volumes) if stackNodes.offered(node)]
        candidates = _masks()
        self._ids = [node.GetID() for node in stacks]
        self._masks = []
        self.widget.blockSignals(True)
        self.widget.setRowCount(len(stacks))
        for row, node in enumerate(stacks):
            item = qt.QTableWidgetItem(node.GetName())
            item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled)
            item.setCheckState(qt.Qt.Checked if node.GetID() in self._ticked else qt.Qt.Unchecked)
            item.setToolTip(_size(node))
            self.widget.setItem(row, _STACK, item)
            self.widget.setCellWidget(row, _MASK, self._maskCombo(node, candidates))
            self.widget.setItem(row, _MOVED, qt.QTableWidgetItem(""))
        self.widget.resizeColumnsToContents()
        self.widget.blockSignals(False)

    def showOutcome(self, fixed: Any) -> None:
        """Say in the last column what the registration did to each ticked stack."""
        self.widget.blockSignals(True)
        for row, identifier in enumerate(self._ids):
            node = slicer.mrmlScene.GetNodeByID(identifier)
            text = ""
            if node is not None and identifier in self._ticked:
                text = "fixed" if node is fixed else stackRegistration.outcome(node, fixed)
            self.widget.item(row, _MOVED).setText(text)
        self.widget.resizeColumnsToContents()
        self.widget.blockSignals(False)

    def _maskCombo(self, stack: Any, candidates: list[Any]) -> Any:
        combo = qt.QComboBox()
        combo.setToolTip(
            _("What counts in this stack: a segmentation (its first visible segment), a label map or a mask")
        )
        offered = [node for node in candidates if node is not stack]
        combo.addItem(_NO_MASK, "")
        for node in offered:
            combo.addItem(node.GetName(), node.GetID())
        chosen = stackNodes.maskOf(stack)
        # Names may be the same: by place, not by text.
        combo.setCurrentIndex(1 + offered.index(chosen) if chosen in offered else 0)
        identifier = stack.GetID()
        combo.currentIndexChanged.connect(lambda *ignored: self._maskPicked(identifier, combo))
        self._masks.append(combo)
        return combo

    def _maskPicked(self, identifier: str, combo: Any) -> None:
        stack = slicer.mrmlScene.GetNodeByID(identifier)
        if stack is None:
            return
        mask = combo.itemData(combo.property("currentIndex"))
        stackNodes.setMask(stack, slicer.mrmlScene.GetNodeByID(mask) if mask else None)
        self._changed()

    def _itemChanged(self, *_: Any) -> None:
        states = [self.widget.item(row, _STACK).checkState() == qt.Qt.Checked for row in range(len(self._ids))]
        self._ticked = [identifier for identifier, on in zip(self._ids, states, strict=True) if on]
        self._changed()


def _masks() -> list[Any]:
    """Label maps and segmentations first, then volumes, since a mask may have been loaded as one."""
    found = [node for name in stackNodes.MASK_TYPES for node in slicer.util.getNodesByClass(name)]
    return [node for node in dict.fromkeys(found) if _mayBeMask(node)]


def _mayBeMask(node: Any) -> bool:
    if node.IsA("vtkMRMLSegmentationNode"):
        return True
    return sequenceReader.isSeries(node) and (node.IsA("vtkMRMLLabelMapVolumeNode") or stackNodes.offered(node))


def _size(node: Any) -> str:
    x, y, z = node.GetImageData().GetDimensions()
    spacing = " x ".join(f"{size:.4g}" for size in node.GetSpacing())
    return _("{x} x {y} x {z} voxels of {spacing} mm").format(x=x, y=y, z=z, spacing=spacing)
