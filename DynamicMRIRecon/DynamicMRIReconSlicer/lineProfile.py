"""Line profiles over time: M-mode image, tables with units, series and charts; made once, then kept up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles import MMode, line_profile
from DynamicMRIReconSlicer import hierarchy, sequenceReader
from DynamicMRIReconSlicer.mmodeImage import updateMModeVolume
from DynamicMRIReconSlicer.sequences import proxyOf

_LINE = "DynamicMRIRecon.Line"
_SEQUENCE = "DynamicMRIRecon.Sequence"
_EDGE = "DynamicMRIRecon.Edge"
EDGES = ("either", "rising", "falling")
TIME, EDGE, VELOCITY, WIDTH, MEASURED = "time", "edge position", "edge velocity", "edge width", "measured"
POSITION, MEAN, LOWEST, HIGHEST = "position", "mean", "minimum", "maximum"
_EDGE_TABLE, _EDGE_CHART, _EDGE_SERIES = (f"DynamicMRIRecon.Edge{part}" for part in ("Table", "Chart", "Series"))
_PROFILE_TABLE, _PROFILE_CHART = "DynamicMRIRecon.ProfileTable", "DynamicMRIRecon.ProfileChart"
_PROFILE_SERIES = "DynamicMRIRecon.ProfileSeries."
#: everything that belongs to a profile besides its M-mode volume, which refers to them by these roles
_ROLES = (
    _EDGE_TABLE,
    _EDGE_CHART,
    _EDGE_SERIES,
    _PROFILE_TABLE,
    _PROFILE_CHART,
    *(_PROFILE_SERIES + label for label in (MEAN, LOWEST, HIGHEST)),
)
#: tables with a column for each frame stay readable up to here; the M-mode image holds all frames
MOST_FRAME_COLUMNS = 200


@dataclass(frozen=True)
class ProfileNodes:
    """A line profile in the scene."""

    mmode: MMode
    volume: Any
    edgeTable: Any
    profileTable: Any
    edgeChart: Any
    profileChart: Any


class LineProfiles:
    """Computes line profiles; keeps the images of the last sequence, so that dragging a line stays smooth."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] | None = None
        self._series: ImageSeries | None = None

    def compute(self, sequence: Any, lineNode: Any, edge: str = "either") -> ProfileNodes:
        """Profile of ``sequence`` along ``lineNode``; nodes of an earlier profile of the two are used again.

        Parameters
        ----------
        edge
            Which edge to follow from the line's first point: ``rising`` (dark to bright), ``falling`` or ``either``.

        Raises
        ------
        InputError
            The line is not complete or lies outside the images, or the sequence holds no images.
        """
        mmode = self.measure(sequence, lineNode, edge)
        name = f"{sequence.GetName()} along {lineNode.GetName()}"
        volume = findVolume(sequence, lineNode) or _newVolume(sequence, lineNode, name)
        updateMModeVolume(volume, mmode)
        volume.SetAttribute(_EDGE, edge)
        edgeTable, edgeChart = _edgeNodes(volume, mmode, name)
        profileTable, profileChart = _profileNodes(volume, mmode, name)
        _intoFolder(sequence, lineNode, volume)
        return ProfileNodes(mmode, volume, edgeTable, profileTable, edgeChart, profileChart)

    def measure(self, sequence: Any, lineNode: Any, edge: str = "either") -> MMode:
        """The profile alone, without any node; parameters and errors as for ``compute``."""
        if lineNode is None or lineNode.GetNumberOfDefinedControlPoints() < 2:
            raise InputError("The line needs two points: pick or draw one across the moving edge.")
        ends = slicer.util.arrayFromMarkupsControlPoints(lineNode, world=True)
        return line_profile(self._imagesOf(sequence), ends[0], ends[-1], edge=edge)  # type: ignore[arg-type]

    def forget(self) -> None:
        """Free the kept images."""
        self._key = self._series = None

    def _imagesOf(self, sequence: Any) -> ImageSeries:
        if sequence is None:
            raise InputError("Pick the sequence to measure.")
        proxy = proxyOf(sequence)
        transform = proxy.GetParentTransformNode() if proxy is not None else None
        moved = (transform.GetID(), transform.GetTransformToWorldMTime()) if transform is not None else None
        key = (sequence.GetID(), sequence.GetMTime(), moved)
        if key != self._key:
            self._series, self._key = sequenceReader.toSeries(sequence), key
        assert self._series is not None
        return self._series


def findVolume(sequence: Any, lineNode: Any) -> Any:
    """The M-mode volume of an earlier profile of these two nodes, or None."""
    for volume in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if volume.GetNodeReference(_SEQUENCE) is sequence and volume.GetNodeReference(_LINE) is lineNode:
            return volume
    return None


def ofSequence(sequence: Any) -> list[tuple[Any, str]]:
    """Line and kind of edge of each profile of a sequence in the scene."""
    found = []
    for volume in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        line = volume.GetNodeReference(_LINE)
        if volume.GetNodeReference(_SEQUENCE) is sequence and line is not None:
            found.append((line, volume.GetAttribute(_EDGE) or "either"))
    return found


def _newVolume(sequence: Any, lineNode: Any, name: str) -> Any:
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"M-mode {name}")
    volume.SetNodeReferenceID(_SEQUENCE, sequence.GetID())
    volume.SetNodeReferenceID(_LINE, lineNode.GetID())
    return volume


def _kept(volume: Any, role: str, className: str, name: str) -> Any:
    """The node of this role that belongs to the M-mode volume; made the first time."""
    node = volume.GetNodeReference(role)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass(className, name)
        volume.SetNodeReferenceID(role, node.GetID())
    return node


def _fillTable(table: Any, columns: list[tuple[str, str, np.ndarray]]) -> None:
    was = table.StartModify()
    slicer.util.updateTableFromArray(table, [np.asarray(c[2], float) for c in columns], [c[0] for c in columns])
    for name, unit, _ in columns:
        if unit:
            table.SetColumnUnitLabel(name, unit)
    table.EndModify(was)


def _chart(volume: Any, role: str, title: str, xTitle: str, yTitle: str) -> Any:
    chart = _kept(volume, role, "vtkMRMLPlotChartNode", title)
    chart.SetTitle(title)
    chart.SetXAxisTitle(xTitle)
    chart.SetYAxisTitle(yTitle)
    return chart


def _series(volume: Any, chart: Any, table: Any, role: str, x: str, y: str, legend: bool) -> None:
    isNew = volume.GetNodeReference(role) is None
    series = _kept(volume, role, "vtkMRMLPlotSeriesNode", y)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(x)
    series.SetYColumnName(y)
    if isNew:
        series.SetPlotType(series.PlotTypeScatter)
        series.SetLineStyle(series.LineStyleSolid)
        series.SetLineWidth(2)
        series.SetMarkerStyle(series.MarkerStyleNone if legend else series.MarkerStyleCircle)
        series.SetUniqueColor()
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetLegendVisibility(legend)


def _edgeNodes(volume: Any, mmode: MMode, name: str) -> tuple[Any, Any]:
    table = _kept(volume, _EDGE_TABLE, "vtkMRMLTableNode", f"Edge {name}")
    columns = [
        (TIME, "s", mmode.times_s),
        (EDGE, "mm", mmode.edges_mm),
        (VELOCITY, "mm/s", mmode.velocity_mm_per_s),
        (WIDTH, "mm", mmode.edge_width_mm),
        (MEASURED, "", ~mmode.synthetic),
    ]
    _fillTable(table, columns)
    chart = _chart(volume, _EDGE_CHART, f"Edge motion {name}", "Time (s)", "Edge position (mm)")
    _series(volume, chart, table, _EDGE_SERIES, TIME, EDGE, legend=False)
    return table, chart


def _profileNodes(volume: Any, mmode: MMode, name: str) -> tuple[Any, Any]:
    table = _kept(volume, _PROFILE_TABLE, "vtkMRMLTableNode", f"Profile {name}")
    inside = mmode.intensity[mmode.valid]
    columns = [(POSITION, "mm", mmode.positions_mm)]
    for label, reduce in ((MEAN, np.mean), (LOWEST, np.min), (HIGHEST, np.max)):
        values = np.full(len(mmode.positions_mm), np.nan)
        values[mmode.valid] = reduce(inside, axis=1)
        columns.append((label, "", values))
    if len(mmode.times_s) <= MOST_FRAME_COLUMNS:
        columns += [(f"t = {time:.4f} s", "", mmode.intensity[:, i]) for i, time in enumerate(mmode.times_s)]
    _fillTable(table, columns)
    xTitle = "Distance from the line's start (mm)"
    chart = _chart(volume, _PROFILE_CHART, f"Intensity {name}", xTitle, "Intensity")
    for label in (MEAN, LOWEST, HIGHEST):
        _series(volume, chart, table, _PROFILE_SERIES + label, POSITION, label, legend=True)
    return table, chart


def _intoFolder(sequence: Any, lineNode: Any, volume: Any) -> None:
    proxy = proxyOf(sequence)
    folder = hierarchy.folderOf(proxy)
    if not folder:
        # Not a result of ours: give its profile a folder once, and leave the user's own order alone.
        folder = hierarchy.folderOf(volume) or hierarchy.folder(volume.GetName())
    kept = (volume.GetNodeReference(role) for role in _ROLES)
    hierarchy.put(folder, volume, *(node for node in kept if node is not None))
    if not hierarchy.folderOf(lineNode):
        hierarchy.put(folder, lineNode)
