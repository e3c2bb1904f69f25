"""Pictures of what Slicer's views would show, drawn offscreen from the same MRML nodes.

Slice views go through MRML's own slice logic and markups display; charts through VTK's charts, because the plot view
itself exists in Qt only. Works without a display (EGL).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

#: hands rendering objects over to the end of the process: MRML display managers may not outlive their interactor
_kept: list[Any] = []


def rendering_missing() -> str | None:
    """Why no picture can be drawn here, or None."""
    window = vtk.vtkRenderWindow()
    if window.GetClassName() in ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow"):
        return None
    return f"offscreen rendering needs EGL (libEGL, libGL); VTK offers {window.GetClassName()}"


def _pixels(window: Any) -> NDArray[np.uint8]:
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.Update()
    image = grab.GetOutput()
    width, height, _ = image.GetDimensions()
    array = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
    return np.ascontiguousarray(array[::-1, :, :3])


def _window(width: int, height: int) -> Any:
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(width, height)
    return window


def slice_picture(volume: Any, width: int, height: int, *, layout_name: str, fit: bool = True) -> NDArray[np.uint8]:
    """A slice view of ``volume`` in its own plane, as (height, width, 3) pixels.

    Parameters
    ----------
    layout_name
        Slice view to use (``Red``, ``MMode``...); markups are drawn where they lie in its plane.
    fit
        Whether the view is fitted to the image first, or shows what it shows, at the size that it has.
    """
    logic = slicer.app.layoutManager().sliceWidget(layout_name).sliceLogic()
    node = logic.GetSliceNode()
    node.SetMappedInLayout(True)
    renderer, window = vtk.vtkRenderer(), _window(width, height)
    window.SetNumberOfLayers(2)
    window.AddRenderer(renderer)
    mapper, actor = vtk.vtkImageMapper(), vtk.vtkActor2D()
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    actor.SetMapper(mapper)
    actor.GetProperty().SetDisplayLocationToBackground()
    renderer.AddViewProp(actor)
    interactor = vtk.vtkRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    interactor.Initialize()
    interactor.UpdateSize(width, height)
    group = _displayable_managers(renderer, node)
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
    if fit:
        fit_view(layout_name, width, height)
    mapper.SetInputConnection(logic.GetImageDataConnection())
    window.Render()
    _kept.append((window, interactor, group))
    return _pixels(window)


def _displayable_managers(renderer: Any, node: Any) -> Any:
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    factory.SetMRMLApplicationLogic(slicer.app.applicationLogic())
    for name in ("vtkMRMLMarkupsDisplayableManager",):
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    group.Initialize(factory, renderer)
    group.SetMRMLDisplayableNode(node)
    return group


def fit_view(layout_name: str, width: int, height: int) -> None:
    """Give a slice view a size in pixels and fit it to its image."""
    logic = slicer.app.layoutManager().sliceWidget(layout_name).sliceLogic()
    logic.ResizeSliceNode(width, height)
    logic.RotateSliceToLowestVolumeAxes(False)
    logic.FitSliceToBackground()
    logic.SnapSliceOffsetToIJK()


def chart_picture(chart: Any, width: int, height: int) -> NDArray[np.uint8]:
    """The chart node with its series, titles and axis labels, as (height, width, 3) pixels."""
    drawn = vtk.vtkChartXY()
    drawn.SetTitle(chart.GetTitle() or "")
    drawn.GetTitleProperties().SetFontSize(13)
    for axis, title in ((vtk.vtkAxis.BOTTOM, chart.GetXAxisTitle()), (vtk.vtkAxis.LEFT, chart.GetYAxisTitle())):
        drawn.GetAxis(axis).SetTitle(title or "")
        drawn.GetAxis(axis).GetTitleProperties().SetFontSize(12)
    if not chart.GetYAxisRangeAuto():
        drawn.GetAxis(vtk.vtkAxis.LEFT).SetBehavior(vtk.vtkAxis.FIXED)
        drawn.GetAxis(vtk.vtkAxis.LEFT).SetRange(chart.GetYAxisRange())
    drawn.SetShowLegend(bool(chart.GetLegendVisibility()))
    drawn.GetLegend().SetHorizontalAlignment(vtk.vtkChartLegend.RIGHT)
    drawn.GetLegend().SetVerticalAlignment(vtk.vtkChartLegend.TOP)
    for index in range(chart.GetNumberOfPlotSeriesNodes()):
        _add_series(drawn, chart.GetNthPlotSeriesNode(index))
    view = vtk.vtkContextView()
    window = _window(width, height)
    view.SetRenderWindow(window)
    view.GetRenderer().SetBackground(1, 1, 1)
    view.GetScene().AddItem(drawn)
    window.Render()
    _kept.append(view)
    return _pixels(window)


def _add_series(drawn: Any, series: Any) -> None:
    table = series.GetTableNode().GetTable()
    plot = drawn.AddPlot(vtk.vtkChart.LINE)
    plot.SetInputData(table, series.GetXColumnName(), series.GetYColumnName())
    plot.SetLabel(series.GetName())
    plot.SetColorF(*series.GetColor())
    plot.SetWidth(series.GetLineWidth())
    if series.GetLineStyle() == series.LineStyleNone:
        plot.GetPen().SetLineType(vtk.vtkPen.NO_PEN)
    if series.GetMarkerStyle() != series.MarkerStyleNone:
        plot.SetMarkerStyle(vtk.vtkPlotPoints.CIRCLE)
        plot.SetMarkerSize(series.GetMarkerSize())
