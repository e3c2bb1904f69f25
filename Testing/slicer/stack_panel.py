"""The stacks section of the panel as tests use it: rows, ticks, what is shown."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import stack_scene
from panel_driver import PanelDriver


def rows(panel: PanelDriver) -> dict[str, int]:
    table = panel.ui.stacksTable
    return {table.item(row, 0).data(qt.Qt.DisplayRole): row for row in range(table.property("rowCount"))}


def tick(panel: PanelDriver, *names: str, on: bool = True) -> None:
    for name in names:
        item = panel.ui.stacksTable.item(rows(panel)[name], 0)
        item.setCheckState(qt.Qt.Checked if on else qt.Qt.Unchecked)


def moved_by(panel: PanelDriver) -> list[str]:
    table = panel.ui.stacksTable
    return [str(table.item(row, 2).data(qt.Qt.DisplayRole)) for row in range(table.property("rowCount"))]


def loaded(panel: PanelDriver, moved: bool = True) -> list[Any]:
    """The stacks, seen by the panel."""
    nodes = stack_scene.add_all(moved)
    assert panel.wait(lambda: len(rows(panel)) == 3, 5)
    return nodes


def views() -> list[Any]:
    """Slice logics of the views that compare, as many as the layout has."""
    manager = slicer.app.layoutManager()
    names = [name for name in manager.sliceViewNames() if name.startswith("Compare")]
    return [manager.sliceWidget(name).sliceLogic() for name in names]


def shown() -> list[str]:
    ids = [logic.GetSliceCompositeNode().GetBackgroundVolumeID() for logic in views()]
    return [slicer.mrmlScene.GetNodeByID(one).GetName() for one in ids]
