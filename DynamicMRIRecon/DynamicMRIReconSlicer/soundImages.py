"""The sound of a sequence below its M-mode: waveform and spectrogram on the same time axis, labels over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from DynamicMRIReconLib.audio import Recording, TextGrid, measure_labels, spectrogram, waveform
from DynamicMRIReconLib.profiles import MMode
from DynamicMRIReconSlicer import profileNodes, viewTexts
from DynamicMRIReconSlicer.mmodeImage import FAR_MM, finer

_PREFIX = "DynamicMRIRecon."
WAVEFORM, SPECTROGRAM = _PREFIX + "Waveform", _PREFIX + "Spectrogram"
BORDERS, TEXTS, TABLE = _PREFIX + "LabelBorders", _PREFIX + "LabelTexts", _PREFIX + "LabelTable"
ROLES = (WAVEFORM, SPECTROGRAM, BORDERS, TEXTS, TABLE)
#: columns of the images, and their heights as parts of their width
LEAST_COLUMNS, WAVEFORM_HEIGHT, SPECTROGRAM_HEIGHT = 1000, 0.3, 0.4
WAVEFORM_ROWS, ROWS = 129, 128
#: borders of labels reach so many columns to either side, so that a view of fewer pixels still shows them
BORDER_COLUMNS = 1
#: texts of more labels would hide one another
MOST_TEXTS = 60


def update(volume: Any, mmode: MMode, recording: Recording) -> tuple[Any, Any]:
    """Waveform and spectrogram of an M-mode volume; the same nodes each time."""
    name = volume.GetName().removeprefix("M-mode ")
    times, matrix = finer(mmode, LEAST_COLUMNS, WAVEFORM_HEIGHT, WAVEFORM_ROWS)
    drawn = waveform(recording, times, WAVEFORM_ROWS)
    wave = _image(volume, WAVEFORM, f"Waveform {name}", drawn, matrix, times, (0.0, 1.0))
    times, matrix = finer(mmode, LEAST_COLUMNS, SPECTROGRAM_HEIGHT, ROWS)
    frequencies, power = spectrogram(recording, times, rows=ROWS)
    spectrum = _image(
        volume, SPECTROGRAM, f"Spectrogram {name}", power, matrix, times, (0.0, float(power.max()) or 1.0)
    )
    spectrum.SetAttribute(_PREFIX + "HighestHertz", f"{frequencies[0]:.3f}")
    return wave, spectrum


def updateLabels(volume: Any, mmode: MMode, grid: TextGrid | None, offset_s: float) -> None:
    """Borders and texts of the first tier over the waveform, and a table of what the edge does in each label."""
    tier = next(iter(grid.intervals), None) if grid is not None else None
    if grid is None or tier is None:
        remove(volume, (BORDERS, TEXTS, TABLE))
        return
    intervals = grid.intervals[tier]
    times, matrix = finer(mmode, LEAST_COLUMNS, WAVEFORM_HEIGHT, WAVEFORM_ROWS)
    bounds = np.array([[one.start_s, one.end_s] for one in intervals]).reshape(-1, 2) + offset_s
    step = float(times[1] - times[0])
    columns = np.rint((bounds.ravel() - times[0]) / step).astype(int)
    marked = np.zeros((1, WAVEFORM_ROWS, len(times)), np.uint8)
    for column in columns[(columns >= 0) & (columns < len(times))]:
        marked[0, :, max(0, column - BORDER_COLUMNS) : column + BORDER_COLUMNS + 1] = 1
    borders = profileNodes.kept(volume, BORDERS, "vtkMRMLLabelMapVolumeNode", f"Label borders {volume.GetName()}")
    slicer.util.updateVolumeFromArray(borders, marked)
    borders.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    if borders.GetDisplayNode() is None:
        borders.CreateDefaultDisplayNodes()
    shown = [(one, middle) for one, middle in zip(intervals, bounds.mean(axis=1), strict=True)
             if times[0] <= middle <= times[-1]][:MOST_TEXTS]  # fmt: skip
    top = 0.12 * abs(matrix[1, 1]) * WAVEFORM_ROWS
    texts = [(_at(matrix, (middle - times[0]) / step, -top), one.label) for one, middle in shown]
    viewTexts.update(volume, TEXTS, f"Labels {volume.GetName()}", texts)
    _labelTable(volume, measure_labels(mmode, tier, intervals, offset_s))


def remove(volume: Any, roles: tuple[str, ...] = ROLES) -> None:
    """Take these nodes of an M-mode volume out of the scene."""
    for role in roles:
        node = volume.GetNodeReference(role)
        if node is not None:
            slicer.mrmlScene.RemoveNode(node)


def of(volume: Any) -> dict[str, Any]:
    """The nodes of an M-mode volume that show its sound, by role; empty where it has none."""
    found = {role: volume.GetNodeReference(role) for role in ROLES}
    return {role: node for role, node in found.items() if node is not None}


def _image(
    volume: Any,
    role: str,
    name: str,
    array: np.ndarray,
    matrix: np.ndarray,
    times: np.ndarray,
    window: tuple[float, float],
) -> Any:
    node = profileNodes.kept(volume, role, "vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(array[None], dtype=np.float32))
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    node.SetAttribute(_PREFIX + "StartTime_s", f"{times[0]:.6f}")
    node.SetAttribute(_PREFIX + "SecondsPerSoundColumn", f"{times[1] - times[0]:.9f}")
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(*window)
    return node


def _at(matrix: np.ndarray, column: float, y: float) -> tuple[float, float, float]:
    return float(matrix[0, 0] * column + matrix[0, 3]), float(y), FAR_MM


def _labelTable(volume: Any, measures: list[Any]) -> None:
    table = profileNodes.kept(volume, TABLE, "vtkMRMLTableNode", f"Labels of {volume.GetName()}")
    table.RemoveAllColumns()
    names = vtk.vtkStringArray()
    names.SetName("label")
    for one in measures:
        names.InsertNextValue(one.label)
    table.AddColumn(names)
    for column, unit, attribute in (
        ("start", "s", "start_s"), ("end", "s", "end_s"), ("edge mean", "mm", "mean_mm"),
        ("edge minimum", "mm", "lowest_mm"), ("edge maximum", "mm", "highest_mm"),
        ("largest velocity", "mm/s", "fastest_mm_per_s"), ("time of largest velocity", "s", "fastest_at_s"),
    ):  # fmt: skip
        values = vtk.vtkDoubleArray()
        values.SetName(column)
        for one in measures:
            values.InsertNextValue(float(getattr(one, attribute)))
        table.AddColumn(values)
        table.SetColumnUnitLabel(column, unit)
