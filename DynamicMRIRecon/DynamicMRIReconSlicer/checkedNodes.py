"""A list widget in which nodes of the scene can be ticked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer


class CheckedNodes:
    """Offers the nodes of some classes; what is ticked stays ticked while nodes come and go.

    Parameters
    ----------
    widget
        A QListWidget.
    offered
        Whether a node is offered.
    changed
        Called when something is ticked or unticked.
    """

    def __init__(
        self, widget: Any, classNames: tuple[str, ...], offered: Callable[[Any], bool], changed: Callable[[], None]
    ) -> None:
        self.widget = widget
        self._classNames = classNames
        self._offered = offered
        self._changed = changed
        self._ids: list[str] = []
        self._ticked: list[str] = []
        widget.itemChanged.connect(self._itemChanged)

    def nodes(self) -> list[Any]:
        """The ticked nodes that are offered now."""
        found = (slicer.mrmlScene.GetNodeByID(identifier) for identifier in self._ids if identifier in self._ticked)
        return [node for node in found if node is not None]

    def setNodes(self, nodes: list[Any]) -> None:
        """Tick these and no others."""
        self._ticked = [node.GetID() for node in nodes if node is not None]
        self.refresh()

    def refresh(self, leaveOut: Any = None) -> None:
        """Fill the list anew; ``leaveOut`` is a node that is about to go."""
        nodes = [node for name in self._classNames for node in slicer.util.getNodesByClass(name)]
        nodes = [node for node in dict.fromkeys(nodes) if node is not leaveOut and self._offered(node)]
        self._ids = [node.GetID() for node in nodes]
        self.widget.blockSignals(True)
        self.widget.clear()
        for node in nodes:
            item = qt.QListWidgetItem(node.GetName())
            item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled)
            item.setCheckState(qt.Qt.Checked if node.GetID() in self._ticked else qt.Qt.Unchecked)
            self.widget.addItem(item)
        self.widget.blockSignals(False)

    def _itemChanged(self, *_: Any) -> None:
        states = [self.widget.item(row).checkState() == qt.Qt.Checked for row in range(len(self._ids))]
        self._ticked = [identifier for identifier, on in zip(self._ids, states, strict=True) if on]
        self._changed()
