"""What the views show: results in the anatomical views, the M-mode in a view of its own beside a plot."""

from __future__ import annotations

from typing import Any

import slicer

MMODE_VIEW = "MMode"
#: any number that no other layout has
LAYOUT_ID = 7413


def _slice(tag: str, orientation: str, label: str, color: str) -> str:
    return (
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
        f'<property name="orientation" action="default">{orientation}</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{color}</property></view></item>'
    )


LAYOUT = (
    '<layout type="vertical" split="true"><item><layout type="horizontal" split="true">'
    + _slice("Red", "Axial", "R", "#F34A33")
    + _slice(MMODE_VIEW, "Axial", "M", "#8C6BB1")
    + '</layout></item><item><view class="vtkMRMLPlotViewNode" singletontag="PlotView1">'
    '<property name="viewlabel" action="default">P</property></view></item></layout>'
)


def showVolume(volume: Any) -> None:
    """Show a result in the anatomical views, turned to its own plane where it is a single slice."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    for name in manager.sliceViewNames():
        if name != MMODE_VIEW:
            showInView(name, volume, turn=volume.GetImageData().GetDimensions()[2] == 1)


def showInView(name: str, volume: Any, turn: bool = False) -> None:
    """Make ``volume`` the background of one slice view and fit it."""
    manager = slicer.app.layoutManager()
    widget = manager.sliceWidget(name) if manager is not None else None
    if widget is None:
        return
    logic = widget.sliceLogic()
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
    if turn:
        logic.GetSliceNode().RotateToVolumePlane(volume)
    logic.FitSliceToBackground()
    logic.SnapSliceOffsetToIJK()


def showProfile(mmodeVolume: Any, seriesVolume: Any, chart: Any) -> None:
    """Switch to the layout with M-mode and plot, and fill it."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(LAYOUT_ID):
        layoutNode.AddLayoutDescription(LAYOUT_ID, LAYOUT)
    manager.setLayout(LAYOUT_ID)
    showInView(MMODE_VIEW, mmodeVolume)
    if seriesVolume is not None:
        showInView("Red", seriesVolume, turn=seriesVolume.GetImageData().GetDimensions()[2] == 1)
    for node in slicer.util.getNodesByClass("vtkMRMLPlotViewNode"):
        if node.GetLayoutName() == "PlotView1":
            node.SetPlotChartNodeID(chart.GetID())


def offerPlayback(browser: Any) -> None:
    """Put a sequence's browser into Slicer's playback tool bar."""
    sequences = getattr(slicer.modules, "sequences", None)
    if sequences is not None and browser is not None and slicer.util.mainWindow() is not None:
        sequences.setToolBarActiveBrowserNode(browser)
        sequences.setToolBarVisible(True)
