"""What lies over the curves of a profile: turning points by their names, and the band of the uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.profiles import MMode

TURN = "turning point"
UNCERTAINTY, BELOW, ABOVE = "edge uncertainty", "edge - sd", "edge + sd"
MEAN_BELOW, MEAN_ABOVE = "mean - sd", "mean + sd"
#: what turning points can be called: furthest from the line's start, and nearest to it
NAMES = {
    "turns": (TURN, TURN),
    "diastole": ("end diastole", "end systole"),
    "systole": ("end systole", "end diastole"),
    "speech": ("opening", "constriction"),
}
_COLOURS = ((0.95, 0.6, 0.1), (0.75, 0.25, 0.7))
_ROLE, _BAND = "DynamicMRIRecon.TurningPoints", "DynamicMRIRecon.Band"
#: beginnings of the roles under which an M-mode volume keeps these series
ROLES = (_ROLE, _BAND)


def turnColumns(mmode: MMode, marks: str) -> list[tuple[str, str, np.ndarray]]:
    """Columns of the edge's table: its position where it turns, all in one and, where they have names, by these."""
    furthest, _ = names = NAMES.get(marks, NAMES["turns"])
    columns = {TURN: np.full(len(mmode.times_s), np.nan)}
    columns |= {name: np.full(len(mmode.times_s), np.nan) for name in names}
    for point in mmode.turning_points:
        name = furthest if point.kind == "furthest" else names[1]
        columns[TURN][point.frame] = columns[name][point.frame] = point.edge_mm
    return [(name, "mm", values) for name, values in columns.items()]


def bandColumns(mmode: MMode) -> list[tuple[str, str, np.ndarray]]:
    """Columns of the edge's table: one standard deviation around its position; none where nothing tells it."""
    if mmode.deviation is None:
        return []
    edge, sd = mmode.edges_mm, mmode.edge_deviation_mm
    return [(UNCERTAINTY, "mm", sd), (BELOW, "mm", edge - sd), (ABOVE, "mm", edge + sd)]


def meanBandColumns(mmode: MMode, mean: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    """Columns of the intensity along the line: ``mean`` and one standard deviation, the mean of those of the frames."""
    if mmode.deviation is None:
        return []
    sd = np.full(len(mean), np.nan)
    sd[mmode.valid] = mmode.deviation[mmode.valid].mean(axis=1)
    return [(MEAN_BELOW, "", mean - sd), (MEAN_ABOVE, "", mean + sd)]


def showTurns(volume: Any, chart: Any, table: Any, marks: str, time: str) -> None:
    """Marks on the edge's curve: end diastole and end systole, or the targets of an articulator."""
    wanted = dict.fromkeys(NAMES.get(marks, NAMES["turns"]))
    for name in {name for names in NAMES.values() for name in names}:
        role = _ROLE if name == TURN else f"{_ROLE}.{name}"
        if name not in wanted:
            _remove(volume, role)
            continue
        series = seriesOf(volume, chart, table, role, time, name)
        series.SetLineStyle(series.LineStyleNone)
        series.SetMarkerStyle(series.MarkerStyleDiamond)
        series.SetMarkerSize(12)
        series.SetColor(*_COLOURS[list(wanted).index(name)])


def showBand(volume: Any, chart: Any, table: Any, x: str, columns: list[tuple[str, str, np.ndarray]], of: Any) -> None:
    """The columns that bound a band, as thin dashed lines in the colour of the series ``of``; none: no band."""
    known = (BELOW, ABOVE) if x == "time" else (MEAN_BELOW, MEAN_ABOVE)
    names = [name for name, *_ in columns]
    for name in known:
        role = f"{_BAND}.{name}"
        if name not in names:
            _remove(volume, role)
            continue
        series = seriesOf(volume, chart, table, role, x, name)
        series.SetLineStyle(series.LineStyleDash)
        series.SetLineWidth(1)
        series.SetMarkerStyle(series.MarkerStyleNone)
        series.SetColor(*of.GetColor())


def seriesOf(volume: Any, chart: Any, table: Any, role: str, x: str, y: str) -> Any:
    """The plot series that the node ``volume`` keeps under ``role``; made and put into the chart the first time."""
    series = volume.GetNodeReference(role)
    if series is None:
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", y)
        volume.SetNodeReferenceID(role, series.GetID())
        series.SetPlotType(series.PlotTypeScatter)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(x)
    series.SetYColumnName(y)
    return series


def _remove(volume: Any, role: str) -> None:
    series = volume.GetNodeReference(role)
    if series is not None:
        slicer.mrmlScene.RemoveNode(series)
