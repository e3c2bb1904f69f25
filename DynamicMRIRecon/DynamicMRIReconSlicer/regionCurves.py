"""Brightness of regions over time: closed curves, boxes and segments; tables and one chart for several sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles import RegionCurve, box_mask, closed_curve_mask, region_curve
from DynamicMRIReconSlicer import profileNodes
from DynamicMRIReconSlicer.translation import tr as _

NODE_TYPES = ("vtkMRMLMarkupsClosedCurveNode", "vtkMRMLMarkupsROINode", "vtkMRMLSegmentationNode")
_REGION, _SEQUENCE = "DynamicMRIRecon.Region", "DynamicMRIRecon.Sequence"
_SERIES, _CHART = "DynamicMRIRecon.RegionSeries", "DynamicMRIRecon.RegionChart"
TIME, MEAN, DEVIATION = "time", "mean", "standard deviation"


def measure(series: ImageSeries, region: Any) -> RegionCurve:
    """The brightness of ``series`` in a region of the scene; of a segmentation, in its first visible segment.

    Raises
    ------
    InputError
        The region is empty or outside the images.
    """
    return region_curve(series, maskOf(series, region))


def maskOf(series: ImageSeries, region: Any) -> np.ndarray:
    """(z, y, x) bool: the voxels of ``series`` in the region."""
    if region.IsA("vtkMRMLMarkupsClosedCurveNode"):
        if region.GetNumberOfDefinedControlPoints() < 3:
            raise InputError(_("The closed curve needs at least three points."))
        return closed_curve_mask(series, slicer.util.arrayFromMarkupsCurvePoints(region, world=True))
    if region.IsA("vtkMRMLMarkupsROINode"):
        toWorld = slicer.util.arrayFromVTKMatrix(region.GetObjectToWorldMatrix())
        size = [0.0, 0.0, 0.0]
        region.GetSizeWorld(size)
        return box_mask(series, toWorld[:3, 3], toWorld[:3, :3], size)
    return _segmentMask(series, region)


def update(sequence: Any, region: Any, curve: RegionCurve) -> Any:
    """The table of a region's curve with its plot series; the same nodes each time. Gives the table."""
    tables = slicer.util.getNodesByClass("vtkMRMLTableNode")
    own = (table for table in tables if table.GetNodeReference(_REGION) is region)
    table = next((one for one in own if one.GetNodeReference(_SEQUENCE) is sequence), None)
    label = f"{sequence.GetName()}, {region.GetName()}"
    if table is None:
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", _("Region {label}").format(label=label))
        table.SetNodeReferenceID(_REGION, region.GetID())
        table.SetNodeReferenceID(_SEQUENCE, sequence.GetID())
    columns = [(TIME, "s", curve.times_s), (MEAN, "", curve.mean), (DEVIATION, "", curve.deviation)]
    columns += [("minimum", "", curve.minimum), ("maximum", "", curve.maximum)]
    profileNodes.fillTable(table, [*columns, (profileNodes.MEASURED, "", ~curve.synthetic)])
    isNew = table.GetNodeReference(_SERIES) is None
    series = profileNodes.kept(table, _SERIES, "vtkMRMLPlotSeriesNode", label)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(TIME)
    series.SetYColumnName(MEAN)
    if isNew:
        series.SetPlotType(series.PlotTypeScatter)
        series.SetLineWidth(2)
        series.SetMarkerStyle(series.MarkerStyleNone)
        others = [one for one in slicer.util.getNodesByClass("vtkMRMLTableNode") if one.GetNodeReferenceID(_SERIES)]
        series.SetColor(*profileNodes.COLOURS[(len(others) - 1) % len(profileNodes.COLOURS)])
    return table


def chart(tables: list[Any]) -> Any:
    """One chart of the mean of several regions' curves."""
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    node = next((one for one in charts if one.GetAttribute(_CHART)), None)
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "Region brightness")
        node.SetAttribute(_CHART, "1")
        node.SetTitle(_("Mean brightness of the region"))
        node.SetXAxisTitle(_("Time (s)"))
        node.SetYAxisTitle(_("Mean intensity"))
    node.RemoveAllPlotSeriesNodeIDs()
    for table in tables:
        node.AddAndObservePlotSeriesNodeID(table.GetNodeReferenceID(_SERIES))
    node.SetLegendVisibility(True)
    return node


def ofSequence(sequence: Any) -> list[Any]:
    """The regions whose curves of ``sequence`` are in the scene."""
    tables = slicer.util.getNodesByClass("vtkMRMLTableNode")
    regions = [table.GetNodeReference(_REGION) for table in tables if table.GetNodeReference(_SEQUENCE) is sequence]
    return [region for region in regions if region is not None]


def _segmentMask(series: ImageSeries, segmentation: Any) -> np.ndarray:
    """Voxels of ``series`` whose centre lies in the segment, read out of its own grid."""
    name = _firstVisible(segmentation)
    image = slicer.vtkOrientedImageData()
    if name is None or not segmentation.GetBinaryLabelmapRepresentation(name, image):
        raise InputError(
            _("{segmentation} has no visible segment: paint one, or show one.").format(
                segmentation=segmentation.GetName()
            )
        )
    columns, rows, slices = image.GetDimensions()
    if not columns * rows * slices:
        raise InputError(
            _("The segment {name} of {segmentation} is empty: paint it first.").format(
                name=name, segmentation=segmentation.GetName()
            )
        )
    labels = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(slices, rows, columns)
    toWorld = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(toWorld)
    toImage = np.linalg.inv(slicer.util.arrayFromVTKMatrix(toWorld))
    first = np.array(image.GetExtent()[::2])
    z, y, x = np.indices(series.array.shape[1:])
    places = series.geometry.to_ras(np.stack([x, y, z], axis=-1))
    index = np.rint(places @ toImage[:3, :3].T + toImage[:3, 3]).astype(int) - first
    inside = ((index >= 0) & (index < (columns, rows, slices))).all(axis=-1)
    mask = np.zeros(inside.shape, bool)
    i, j, k = index[inside].T
    mask[inside] = labels[k, j, i] > 0
    return mask


def _firstVisible(segmentation: Any) -> str | None:
    names = vtk.vtkStringArray()
    display = segmentation.GetDisplayNode()
    if display is not None:
        display.GetVisibleSegmentIDs(names)
    else:
        segmentation.GetSegmentation().GetSegmentIDs(names)
    return str(names.GetValue(0)) if names.GetNumberOfValues() else None
