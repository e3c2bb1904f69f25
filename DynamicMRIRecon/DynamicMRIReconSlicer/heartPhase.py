"""The heart's phase as a chart: how large the ventricles are over time, with end diastole and end systole as marks.

The marks are points of a table; where the plot view moves points along its time axis, they can be dragged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.cardiac.phase import CardiacPhase
from DynamicMRIReconSlicer import layout, profileNodes
from DynamicMRIReconSlicer.translation import tr as _

TIME, BLOOD = "time", "blood pool"
#: names of the method's parameters, and of the columns of the marks
EVENTS = {"ed_frame": "end diastole", "es_frame": "end systole"}
_COLOURS = {"ed_frame": (0.95, 0.6, 0.1), "es_frame": (0.75, 0.25, 0.7)}
_CHART, _CURVE, _MARKS = (f"DynamicMRIRecon.HeartPhase{part}" for part in ("Chart", "Curve", "Marks"))


def show(times_s: np.ndarray, phase: CardiacPhase, title: str) -> Any:
    """Fill the chart and show it; the same nodes each time. Gives the table of the marks."""
    chart = _chart() or slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "Heart phase")
    chart.SetAttribute(_CHART, "1")
    chart.SetTitle(_("Ventricles of {title}").format(title=title))
    chart.SetXAxisTitle(_("Time (s)"))
    chart.SetYAxisTitle(_("Blood that comes and goes (%)"))
    # The mark of end diastole is at the top, where the legend is.
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0, 125)
    curve = profileNodes.kept(chart, _CURVE, "vtkMRMLTableNode", "Heart phase curve")
    size = 100 * phase.curve / max(1.0, phase.curve.max(initial=0))
    profileNodes.fillTable(curve, [(TIME, "s", times_s), (BLOOD, "%", size)])
    _series(chart, curve, BLOOD, (0.12, 0.38, 0.75), isMark=False)
    marks = place({"ed_frame": phase.ed_frame, "es_frame": phase.es_frame})
    for key, name in EVENTS.items():
        _series(chart, marks, name, _COLOURS[key], isMark=True)
    chart.SetLegendVisibility(True)
    layout.showPlot(chart)
    return marks


def place(frames: dict[str, float]) -> Any:
    """Put the marks where these frames are on the curve, or between them. Gives their table."""
    chart = _chart()
    times_s, size = _curve(chart)
    marks = profileNodes.kept(chart, _MARKS, "vtkMRMLTableNode", "Heart phase marks")
    numbers = np.arange(len(times_s))
    at = np.array([frames[key] for key in EVENTS], float)
    heights = np.interp(at, numbers, size)
    columns = [(TIME, "s", np.interp(at, numbers, times_s))]
    columns += [(name, "%", np.where(np.arange(2) == n, heights, np.nan)) for n, name in enumerate(EVENTS.values())]
    profileNodes.fillTable(marks, columns)
    return marks


def marked(marks: Any) -> dict[str, int]:
    """The frames nearest to where the marks stand now."""
    times_s, _size = _curve(_chart())
    at = [float(marks.GetTable().GetColumnByName(TIME).GetValue(row)) for row in range(2)]
    return {key: int(np.argmin(np.abs(times_s - one))) for key, one in zip(EVENTS, at, strict=True)}


def marksShown() -> Any:
    """The table of the marks, or None while there is no chart."""
    chart = _chart()
    return chart.GetNodeReference(_MARKS) if chart is not None else None


def frameTimes() -> np.ndarray:
    """(frames,) seconds of the curve that is shown."""
    return _curve(_chart())[0]


def _chart() -> Any:
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    return next((one for one in charts if one.GetAttribute(_CHART)), None)


def _curve(chart: Any) -> tuple[np.ndarray, np.ndarray]:
    table = chart.GetNodeReference(_CURVE).GetTable()
    found = [table.GetColumnByName(name) for name in (TIME, BLOOD)]
    rows = range(table.GetNumberOfRows())
    times_s, size = (np.array([column.GetValue(row) for row in rows]) for column in found)
    return times_s, size


def _series(chart: Any, table: Any, column: str, colour: tuple[float, float, float], isMark: bool) -> None:
    role = f"{_CHART}.{column}"
    isNew = chart.GetNodeReference(role) is None
    series = profileNodes.kept(chart, role, "vtkMRMLPlotSeriesNode", column)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(TIME)
    series.SetYColumnName(column)
    if not isNew:
        return
    series.SetPlotType(series.PlotTypeScatter)
    series.SetColor(*colour)
    if isMark:
        series.SetLineStyle(series.LineStyleNone)
        series.SetMarkerStyle(series.MarkerStyleDiamond)
        series.SetMarkerSize(14)
    else:
        series.SetLineWidth(2)
        series.SetMarkerStyle(series.MarkerStyleNone)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
