"""The nodes of a line profile: tables with units, plot series and charts, hatch of synthetic frames, by role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.profiles import MMode
from DynamicMRIReconSlicer import profileMarks
from DynamicMRIReconSlicer.mmodeImage import hatch
from DynamicMRIReconSlicer.translation import tr as _

TIME, MEASURED, WIDTH = "time", "measured", "edge width"
POSITION, MEAN, LOWEST, HIGHEST = "position", "mean", "minimum", "maximum"
#: what can be plotted over time: column, unit, what its chart is called
QUANTITIES = {
    "position": ("edge position", "mm", "Edge motion"),
    "velocity": ("edge velocity", "mm/s", "Velocity"),
    "acceleration": ("edge acceleration", "mm/s^2", "Acceleration"),
}
_PREFIX = "DynamicMRIRecon."
_EDGE_TABLE, _HATCH = _PREFIX + "EdgeTable", _PREFIX + "Hatch"
_PROFILE_TABLE, _PROFILE_CHART = _PREFIX + "ProfileTable", _PREFIX + "ProfileChart"
_PROFILE_SERIES = _PREFIX + "ProfileSeries."
_COMPARISON = _PREFIX + "Comparison"
COLOURS = (
    (0.12, 0.38, 0.75), (0.80, 0.30, 0.08), (0.15, 0.50, 0.20), (0.55, 0.20, 0.60), (0.35, 0.35, 0.35),
)  # fmt: skip
_SHADES = {MEAN: (0.12, 0.38, 0.75), LOWEST: (0.45, 0.45, 0.45), HIGHEST: (0.65, 0.65, 0.65)}
#: of the M-mode volume: what its turning points are called
MARKS = _PREFIX + "Marks"
#: tables with a column for each frame stay readable up to here; the M-mode image holds all frames
MOST_FRAME_COLUMNS = 200


@dataclass(frozen=True)
class ProfileNodes:
    """A line profile in the scene; ``charts`` and ``series`` by the names of ``QUANTITIES``."""

    mmode: MMode
    volume: Any
    edgeTable: Any
    profileTable: Any
    charts: dict[str, Any]
    series: dict[str, Any]
    profileChart: Any

    @property
    def edgeChart(self) -> Any:
        """The chart of the edge's position."""
        return self.charts["position"]


def update(volume: Any, mmode: MMode, name: str, label: str) -> ProfileNodes:
    """Bring everything that belongs to the M-mode ``volume`` in line with ``mmode``.

    ``name`` is what the nodes are called, ``label`` what a legend says.
    """
    edgeTable, charts, series = _edgeNodes(volume, mmode, name, label)
    profileTable, profileChart = _profileNodes(volume, mmode, name)
    _hatchNode(volume, mmode, name)
    return ProfileNodes(mmode, volume, edgeTable, profileTable, charts, series, profileChart)


def belonging(volume: Any) -> list[Any]:
    """The nodes that belong to an M-mode volume."""
    roles = [volume.GetNthNodeReferenceRole(i) for i in range(volume.GetNumberOfNodeReferenceRoles())]
    ours = (_EDGE_TABLE, _HATCH, _PROFILE_TABLE, _PROFILE_CHART, _PROFILE_SERIES, *profileMarks.ROLES)
    prefixes = (*ours, *(_role(kind, quantity) for kind in ("Chart", "Series") for quantity in QUANTITIES))
    found = [volume.GetNodeReference(role) for role in roles if role.startswith(prefixes)]
    return [node for node in found if node is not None]


def hatchOf(volume: Any) -> Any:
    """The label volume that hatches the synthetic frames of an M-mode volume, or None."""
    return volume.GetNodeReference(_HATCH)


def comparisonChart(quantity: str, profiles: list[ProfileNodes]) -> Any:
    """One chart of a quantity of several profiles, with a legend; the same node each time."""
    column, unit, title = QUANTITIES[quantity]
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    chart = next((node for node in charts if node.GetAttribute(_COMPARISON) == quantity), None)
    if chart is None:
        chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", _("{title} compared").format(title=title))
        chart.SetAttribute(_COMPARISON, quantity)
    was = chart.StartModify()
    chart.RemoveAllPlotSeriesNodeIDs()
    chart.SetTitle(_("{title} compared").format(title=title))
    chart.SetXAxisTitle(_("Time (s)"))
    chart.SetYAxisTitle(f"{column.capitalize()} ({unit})")
    for profile in profiles:
        chart.AddAndObservePlotSeriesNodeID(profile.series[quantity].GetID())
    chart.SetLegendVisibility(True)
    chart.EndModify(was)
    return chart


def fillTable(table: Any, columns: list[tuple[str, str, np.ndarray]]) -> None:
    """Columns (name, unit, values) of a table node."""
    was = table.StartModify()
    slicer.util.updateTableFromArray(table, [np.asarray(c[2], float) for c in columns], [c[0] for c in columns])
    for name, unit, _values in columns:
        if unit:
            table.SetColumnUnitLabel(name, unit)
    table.EndModify(was)


def kept(volume: Any, role: str, className: str, name: str) -> Any:
    """The node of this role that belongs to the M-mode volume; made the first time."""
    node = volume.GetNodeReference(role)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass(className, name)
        volume.SetNodeReferenceID(role, node.GetID())
    return node


def _chart(volume: Any, role: str, title: str, xTitle: str, yTitle: str) -> Any:
    chart = kept(volume, role, "vtkMRMLPlotChartNode", title)
    chart.SetTitle(title)
    chart.SetXAxisTitle(xTitle)
    chart.SetYAxisTitle(yTitle)
    return chart


def _series(volume: Any, chart: Any, table: Any, role: str, x: str, y: str, legend: bool) -> Any:
    isNew = volume.GetNodeReference(role) is None
    series = kept(volume, role, "vtkMRMLPlotSeriesNode", y)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(x)
    series.SetYColumnName(y)
    if isNew:
        series.SetPlotType(series.PlotTypeScatter)
        series.SetLineStyle(series.LineStyleSolid)
        series.SetLineWidth(2)
        series.SetMarkerStyle(series.MarkerStyleNone if legend else series.MarkerStyleCircle)
        series.SetColor(*(_SHADES.get(y) or _colour(volume)))
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetLegendVisibility(legend)
    return series


def _colour(volume: Any) -> tuple[float, float, float]:
    """One colour for all curves of an M-mode volume, another for the next; all are read well on white."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    ours = [one for one in volumes if one.GetNodeReferenceID(_EDGE_TABLE)]
    return COLOURS[(ours.index(volume) if volume in ours else len(ours)) % len(COLOURS)]


def _role(kind: str, quantity: str) -> str:
    # Scenes saved before there were velocities know the position's roles without its name.
    return f"{_PREFIX}Edge{kind}" + ("" if quantity == "position" else f".{quantity}")


def _edgeNodes(volume: Any, mmode: MMode, name: str, label: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    table = kept(volume, _EDGE_TABLE, "vtkMRMLTableNode", f"Edge {name}")
    values = {
        "position": mmode.edges_mm,
        "velocity": mmode.velocity_mm_per_s,
        "acceleration": mmode.acceleration_mm_per_s2,
    }
    marks = volume.GetAttribute(MARKS) or "turns"
    band = profileMarks.bandColumns(mmode)
    columns = [(TIME, "s", mmode.times_s)]
    columns += [(column, unit, values[key]) for key, (column, unit, _rest) in QUANTITIES.items()]
    columns += [(WIDTH, "mm", mmode.edge_width_mm), *profileMarks.turnColumns(mmode, marks)]
    fillTable(table, [*columns, *band, (MEASURED, "", ~mmode.synthetic)])
    charts, series = {}, {}
    for quantity, (column, unit, title) in QUANTITIES.items():
        axis = f"{column.capitalize()} ({unit})"
        chart = _chart(volume, _role("Chart", quantity), f"{title} {name}", _("Time (s)"), axis)
        node = _series(volume, chart, table, _role("Series", quantity), TIME, column, legend=False)
        node.SetName(label)
        charts[quantity], series[quantity] = chart, node
    profileMarks.showTurns(volume, charts["position"], table, marks, TIME)
    profileMarks.showBand(volume, charts["position"], table, TIME, band, series["position"])
    return table, charts, series


def _profileNodes(volume: Any, mmode: MMode, name: str) -> tuple[Any, Any]:
    table = kept(volume, _PROFILE_TABLE, "vtkMRMLTableNode", f"Profile {name}")
    inside = mmode.intensity[mmode.valid]
    columns = [(POSITION, "mm", mmode.positions_mm)]
    for label, reduce in ((MEAN, np.mean), (LOWEST, np.min), (HIGHEST, np.max)):
        values = np.full(len(mmode.positions_mm), np.nan)
        values[mmode.valid] = reduce(inside, axis=1)
        columns.append((label, "", values))
    band = profileMarks.meanBandColumns(mmode, columns[1][2])
    columns += band
    if len(mmode.times_s) <= MOST_FRAME_COLUMNS:
        columns += [(f"t = {time:.4f} s", "", mmode.intensity[:, i]) for i, time in enumerate(mmode.times_s)]
    fillTable(table, columns)
    xTitle = _("Distance from the line's start (mm)")
    chart = _chart(volume, _PROFILE_CHART, _("Intensity {name}").format(name=name), xTitle, "Intensity")
    lines = {
        label: _series(volume, chart, table, _PROFILE_SERIES + label, POSITION, label, legend=True)
        for label in (MEAN, LOWEST, HIGHEST)
    }
    profileMarks.showBand(volume, chart, table, POSITION, band, lines[MEAN])
    return table, chart


def _hatchNode(volume: Any, mmode: MMode, name: str) -> None:
    node = volume.GetNodeReference(_HATCH)
    if not mmode.synthetic.any():
        if node is not None:
            slicer.mrmlScene.RemoveNode(node)
        return
    node = kept(volume, _HATCH, "vtkMRMLLabelMapVolumeNode", f"Synthetic frames {name}")
    labels, matrix = hatch(mmode)
    slicer.util.updateVolumeFromArray(node, labels)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
