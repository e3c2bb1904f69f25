"""What the views show: results in the anatomical views, the M-mode in a view of its own beside a plot."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from DynamicMRIReconSlicer import soundImages, viewTexts

MMODE_VIEW = "MMode"
#: any number that no other layout has
LAYOUT_ID = 7413
MOST_MMODES = 4
#: below the first M-mode where there is sound: name and label
SOUND_VIEWS = (("Waveform", "W"), ("Spectrogram", "S"))
#: how the names of the views begin that show time from left to right
TIME_VIEWS = (MMODE_VIEW, *(name for name, _ in SOUND_VIEWS))
TRUST_LAYOUT_ID = 7423
#: layouts of 1 to 6 volumes side by side have this number plus their count
COMPARE_LAYOUT_ID = 7430
COMPARE_VIEW, MOST_COMPARED = "Compare", 6
_COLORS = ("#4A9CDB", "#4FB06D", "#D9883C", "#8C6BB1", "#C9A227", "#6E8B8B")
#: with and without a chart, with and without a classical method
TRUST_LAYOUTS = range(TRUST_LAYOUT_ID, TRUST_LAYOUT_ID + 4)
#: what the trust view can show side by side: name, label and colour of the view
TRUST_VIEWS = {
    "input": ("TrustInput", "I", "#4A9CDB"),
    "classical": ("TrustClassical", "C", "#B8A13A"),
    "result": ("TrustResult", "R", "#4FB06D"),
    "difference": ("TrustDifference", "D", "#D9883C"),
}


def _slice(tag: str, orientation: str, label: str, color: str) -> str:
    return (
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
        f'<property name="orientation" action="default">{orientation}</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{color}</property></view></item>'
    )


def _orientation(volume: Any) -> str:
    """The standard orientation that the slices of a volume are closest to."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASDirectionMatrix(matrix)
    normal = [abs(matrix.GetElement(row, 2)) for row in range(3)]
    return ("Sagittal", "Coronal", "Axial")[normal.index(max(normal))]


def description(count: int, withSound: bool = False) -> str:
    """The layout of the anatomy beside ``count`` M-modes, one below the other, above a plot."""
    modes = "".join(_slice(mmodeView(n), "Axial", "M" if n == 0 else f"M{n + 1}", "#8C6BB1") for n in range(count))
    if withSound:
        modes += "".join(_slice(name, "Axial", label, "#6E8B8B") for name, label in SOUND_VIEWS)
    return (
        '<layout type="vertical" split="true"><item><layout type="horizontal" split="true">'
        + _slice("Red", "Axial", "R", "#F34A33")
        + f'<item><layout type="vertical" split="true">{modes}</layout></item>'
        + '</layout></item><item><view class="vtkMRMLPlotViewNode" singletontag="PlotView1">'
        '<property name="viewlabel" action="default">P</property></view></item></layout>'
    )


def mmodeView(number: int) -> str:
    """The name of the M-mode view with this number from 0."""
    return MMODE_VIEW if number == 0 else f"{MMODE_VIEW}{number + 1}"


def showVolume(volume: Any) -> None:
    """Show a result in the anatomical views, turned to its own plane where it is a single slice."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    shown = manager.layoutLogic().GetLayoutNode().GetViewArrangement()
    if shown in TRUST_LAYOUTS or isCompared(shown):
        # These have no anatomical view.
        manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    for name in manager.sliceViewNames():
        if not name.startswith((*TIME_VIEWS, "Trust", COMPARE_VIEW)):
            showInView(name, volume, turn=volume.GetImageData().GetDimensions()[2] == 1)


def showInView(name: str, volume: Any, turn: bool = False) -> None:
    """Make ``volume`` the background of one slice view and fit it; with ``turn`` in its own plane, the usual way up."""
    manager = slicer.app.layoutManager()
    widget = manager.sliceWidget(name) if manager is not None else None
    if widget is None:
        return
    logic = widget.sliceLogic()
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
    if name.startswith(TIME_VIEWS):
        # However the view was turned before: time runs from left to right.
        logic.GetSliceNode().SetOrientation("Axial")
    if turn:
        logic.GetSliceNode().SetOrientation(_orientation(volume))
        logic.GetSliceNode().RotateToVolumePlane(volume)
    logic.FitSliceToBackground()
    logic.SnapSliceOffsetToIJK()


def showProfiles(
    mmodeVolumes: list[Any], hatches: list[Any], seriesVolume: Any, chart: Any, withSound: bool = False
) -> None:
    """Switch to the layout with M-modes (the first four) and plot, and fill it.

    ``hatches`` are the label volumes of synthetic frames over each M-mode, None where there are none.
    """
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    shown = mmodeVolumes[:MOST_MMODES]
    withSound = withSound and bool(shown)
    number = LAYOUT_ID + len(shown) - 1 + MOST_MMODES * withSound
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(number):
        layoutNode.AddLayoutDescription(number, description(len(shown), withSound))
    manager.setLayout(number)
    for index, volume in enumerate(shown):
        showInView(mmodeView(index), volume)
        composite = manager.sliceWidget(mmodeView(index)).sliceLogic().GetSliceCompositeNode()
        composite.SetLabelVolumeID(hatches[index].GetID() if hatches[index] is not None else None)
        composite.SetLabelOpacity(0.7)
        viewTexts.restrict(
            viewTexts.scalesOf(volume), manager.sliceWidget(mmodeView(index)).sliceLogic().GetSliceNode()
        )
    if withSound:
        _showSound(shown[0])
        alignTimes([(mmodeView(index), volume) for index, volume in enumerate(shown)], shown[0])
    if seriesVolume is not None:
        showInView("Red", seriesVolume, turn=seriesVolume.GetImageData().GetDimensions()[2] == 1)
    showChart(chart)


def _showSound(mmodeVolume: Any) -> None:
    nodes = soundImages.of(mmodeVolume)
    for (name, _), role in zip(SOUND_VIEWS, (soundImages.WAVEFORM, soundImages.SPECTROGRAM), strict=True):
        showInView(name, nodes[role])
    logic = slicer.app.layoutManager().sliceWidget(SOUND_VIEWS[0][0]).sliceLogic()
    borders = nodes.get(soundImages.BORDERS)
    logic.GetSliceCompositeNode().SetLabelVolumeID(borders.GetID() if borders is not None else None)
    viewTexts.restrict(nodes.get(soundImages.TEXTS), logic.GetSliceNode())


def alignTimes(mmodes: list[tuple[str, Any]], mmodeVolume: Any) -> None:
    """Give views of M-modes and of sound one time axis: the same moment at the same pixel from the left."""
    nodes = soundImages.of(mmodeVolume)
    shown = [*mmodes, (SOUND_VIEWS[0][0], nodes[soundImages.WAVEFORM])]
    shown.append((SOUND_VIEWS[1][0], nodes[soundImages.SPECTROGRAM]))
    views = []
    for name, volume in shown:
        width = volume.GetImageData().GetDimensions()[0] * volume.GetSpacing()[0]
        views.append((slicer.app.layoutManager().sliceWidget(name).sliceLogic().GetSliceNode(), width))
    widest = max(node.GetFieldOfView()[0] / width for node, width in views)
    for node, width in views:
        columns, rows = node.GetDimensions()[:2]
        across = widest * width
        node.SetFieldOfView(across, across * rows / columns, node.GetFieldOfView()[2])


def trustDescription(shown: list[str], withPlot: bool) -> str:
    """The layout of these of ``TRUST_VIEWS`` side by side, above a plot where there is one."""
    views = "".join(_slice(name, "Axial", label, color) for name, label, color in map(TRUST_VIEWS.get, shown))
    row = f'<layout type="horizontal" split="true">{views}</layout>'
    if not withPlot:
        return row
    plot = (
        '<item><view class="vtkMRMLPlotViewNode" singletontag="PlotView1">'
        '<property name="viewlabel" action="default">P</property></view></item>'
    )
    return f'<layout type="vertical" split="true"><item>{row}</item>{plot}</layout>'


def showTrust(volumes: dict[str, Any], chart: Any) -> None:
    """Show volumes, by their keys in ``TRUST_VIEWS``, in linked views, and the chart if there is one."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    shown = [key for key in TRUST_VIEWS if key in volumes]
    number = TRUST_LAYOUT_ID + (chart is not None) + 2 * ("classical" in volumes)
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(number):
        layoutNode.AddLayoutDescription(number, trustDescription(shown, chart is not None))
    manager.setLayout(number)
    for key in shown:
        name = TRUST_VIEWS[key][0]
        composite = manager.sliceWidget(name).sliceLogic().GetSliceCompositeNode()
        # Linked views would all show the volume that is set in one of them.
        composite.SetLinkedControl(False)
        showInView(name, volumes[key], turn=True)
    for key in shown:
        composite = manager.sliceWidget(TRUST_VIEWS[key][0]).sliceLogic().GetSliceCompositeNode()
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
    _showCrosshair()
    if chart is not None:
        showChart(chart)


def isCompared(number: int) -> bool:
    """Whether a layout is one of volumes side by side."""
    return COMPARE_LAYOUT_ID < number <= COMPARE_LAYOUT_ID + MOST_COMPARED


def compareView(number: int) -> str:
    """The name of the view with this number from 0 in the layout of volumes side by side."""
    return f"{COMPARE_VIEW}{number + 1}"


def compareDescription(count: int) -> str:
    """The layout of ``count`` views in rows of three at most."""
    columns = count if count <= 3 else (count + 1) // 2
    views = [_slice(compareView(n), "Axial", str(n + 1), _COLORS[n]) for n in range(count)]
    rows = ["".join(views[first : first + columns]) for first in range(0, count, columns)]
    inner = [f'<item><layout type="horizontal" split="true">{row}</layout></item>' for row in rows]
    return f'<layout type="vertical" split="true">{"".join(inner)}</layout>'


def showCompared(volumes: Any) -> None:
    """Show volumes in linked views, all cut by one plane: that of the slices of the first."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    number = COMPARE_LAYOUT_ID + len(volumes)
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(number):
        layoutNode.AddLayoutDescription(number, compareDescription(len(volumes)))
    manager.setLayout(number)
    logics = [manager.sliceWidget(compareView(n)).sliceLogic() for n in range(len(volumes))]
    for logic in logics:
        # Linked views would all show the volume that is set in one of them.
        logic.GetSliceCompositeNode().SetLinkedControl(False)
    for n, volume in enumerate(volumes):
        showInView(compareView(n), volume)
    first = logics[0].GetSliceNode()
    showInView(compareView(0), volumes[0], turn=True)
    for logic in logics[1:]:
        node = logic.GetSliceNode()
        node.GetSliceToRAS().DeepCopy(first.GetSliceToRAS())
        node.SetFieldOfView(*first.GetFieldOfView())
        node.UpdateMatrices()
    for logic in logics:
        logic.GetSliceCompositeNode().SetLinkedControl(True)
        logic.GetSliceCompositeNode().SetHotLinkedControl(True)


def _showCrosshair() -> None:
    """The cursor in all views at once: with the Shift key held it goes where the mouse is."""
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if crosshair is not None:
        crosshair.SetCrosshairMode(crosshair.ShowBasic)


def showChart(chart: Any) -> None:
    """Show a chart in the plot view of the layout with M-modes."""
    for node in slicer.util.getNodesByClass("vtkMRMLPlotViewNode"):
        if node.GetLayoutName() == "PlotView1":
            node.SetPlotChartNodeID(chart.GetID())


def offerPlayback(browser: Any) -> None:
    """Put a sequence's browser into Slicer's playback tool bar."""
    sequences = getattr(slicer.modules, "sequences", None)
    if sequences is not None and browser is not None and slicer.util.mainWindow() is not None:
        sequences.setToolBarActiveBrowserNode(browser)
        sequences.setToolBarVisible(True)


def showPlot(chart: Any) -> None:
    """Show a chart beside the anatomical views, its points movable along the horizontal axis."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView)
    showChart(chart)
    for node in slicer.util.getNodesByClass("vtkMRMLPlotViewNode"):
        if node.GetPlotChartNodeID() == chart.GetID():
            node.SetInteractionMode(node.InteractionModeMovePoints)
            node.SetEnablePointMoveAlongX(True)
            node.SetEnablePointMoveAlongY(False)
