"""The heart's phase as a chart: how large the ventricles are over time, with end diastole and end systole as marks.

The marks are points of a table; where the plot view moves points along its time axis, they can be dragged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DynamicMRIReconSlicer import layout, profileMarks, profileNodes
from DynamicMRIReconSlicer.translation import tr as _

TIME, BLOOD = "time", "blood pool"
#: names of the method's parameters, and of the columns of the marks
EVENTS = {"ed_frame": "end diastole", "es_frame": "end systole"}
_COLOURS = {"ed_frame": (0.95, 0.6, 0.1), "es_frame": (0.75, 0.25, 0.7)}
_CHART, _CURVE, _MARKS = (f"DynamicMRIRecon.HeartPhase{part}" for part in ("Chart", "Curve", "Marks"))


def show(times_s: np.ndarray, blood: np.ndarray, frames: dict[str, float], title: str) -> Any:
    """Fill the chart and show it, marks at ``frames``; the same nodes each time. Gives the table of the marks."""
    chart = _chart() or slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "Heart phase")
    chart.SetAttribute(_CHART, "1")
    chart.SetTitle(_("Ventricles of {title}").format(title=title))
    chart.SetXAxisTitle(_("Time (s)"))
    chart.SetYAxisTitle(_("Blood that comes and goes (%)"))
    # The mark of end diastole is at the top, where the legend is.
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0, 125)
    curve = profileNodes.kept(chart, _CURVE, "vtkMRMLTableNode", "Heart phase curve")
    size = 100 * blood / max(1.0, blood.max(initial=0))
    profileNodes.fillTable(curve, [(TIME, "s", times_s), (BLOOD, "%", size)])
    line = _series(chart, curve, BLOOD, profileNodes.COLOURS[0])
    line.SetLineWidth(2)
    line.SetMarkerStyle(line.MarkerStyleNone)
    marks = place(frames)
    for key, name in EVENTS.items():
        mark = _series(chart, marks, name, _COLOURS[key])
        mark.SetLineStyle(mark.LineStyleNone)
        mark.SetMarkerStyle(mark.MarkerStyleDiamond)
        mark.SetMarkerSize(14)
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
    at = slicer.util.arrayFromTableColumn(marks, TIME)
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
    table = chart.GetNodeReference(_CURVE)
    return slicer.util.arrayFromTableColumn(table, TIME), slicer.util.arrayFromTableColumn(table, BLOOD)


def _series(chart: Any, table: Any, column: str, colour: tuple[float, float, float]) -> Any:
    series = profileMarks.seriesOf(chart, chart, table, f"{_CHART}.{column}", TIME, column)
    series.SetColor(*colour)
    return series
