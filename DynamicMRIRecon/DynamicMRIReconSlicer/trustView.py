"""The trust view: input, a classical method, the result and what it adds to the input, and what the data say to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import hierarchy, layout, profileNodes, provenance, results, sequenceReader, sequences
from DynamicMRIReconSlicer.translation import tr as _

#: what the input of a k-space method is shown by
BASELINE = "gridding"
#: methods that add nothing which was learned or fitted freely: what a new method is held against
CLASSICAL = ("cg-sense", "tv", "grasp", "low-rank-sparse", "locally-low-rank", "space-time", "bicubic")
TRUST = "DynamicMRIRecon.Trust"
_DIFFERENCE, _RESIDUAL = "DynamicMRIRecon.TrustDifference", "DynamicMRIRecon.TrustResidual"
_SERIES, _CHART = "DynamicMRIRecon.ResidualSeries", "DynamicMRIRecon.ResidualChart"
_METRICS = {"psnr_db": ("PSNR", "dB"), "ssim": ("SSIM", ""), "nrmse": ("NRMSE", "")}
#: the difference's window holds so many per cent of its values, but is within these parts of the result's
_DIFFERENCE_PERCENTILE, _NARROWEST, _WIDEST = 99.0, 0.05, 0.5


@dataclass(frozen=True)
class TrustNodes:
    """The trust view of a result in the scene.

    Attributes
    ----------
    browser
        Plays them in step.
    proxies
        The volumes ``input``, ``result``, ``difference``, and ``classical`` where there is such a result.
    chart
        The unexplained part of the measured data frame by frame, else the PSNR; None where neither is known.
    factor
        What the input is multiplied by before it is subtracted.
    """

    browser: Any
    proxies: dict[str, Any]
    chart: Any
    factor: float


def baselineOf(sequence: Any) -> Any:
    """The sequence that shows what went in: of k-space its gridding in the scene, of images these; None if missing.

    Raises
    ------
    InputError
        The result does not say how it was made.
    """
    asked = provenance.request(sequence)
    source = sequence.GetNodeReference(provenance.INPUT)
    if not needsBaseline(sequence):
        return source if sequenceReader.isSeries(source) else None
    if sequence.GetAttribute(provenance.METHOD) == BASELINE:
        return sequence
    return next((other for other in _alike(sequence, asked) if other.GetAttribute(provenance.METHOD) == BASELINE), None)


def classicalOf(sequence: Any) -> Any:
    """The newest other result of a classical method from the same input, on the same grid; None if there is none."""
    first, count = sequence.GetNthDataNode(0), sequence.GetNumberOfDataNodes()
    for other in reversed(_alike(sequence, provenance.request(sequence))):
        theirs = other.GetNthDataNode(0)
        same = theirs.GetImageData().GetDimensions() == first.GetImageData().GetDimensions()
        if other.GetAttribute(provenance.METHOD) in CLASSICAL and same and other.GetNumberOfDataNodes() == count:
            return other
    return None


def _alike(sequence: Any, asked: dict[str, Any]) -> list[Any]:
    """The other results from the same input, read and cut in the same way, oldest first."""
    found = []
    for other in results.inScene():
        if other is sequence or other.GetAttribute(provenance.PART):
            continue
        try:
            theirs = provenance.request(other)
        except InputError:
            continue
        same = all(theirs[key] == asked[key] for key in ("path", "read", "simulate", "frames"))
        if same and other.GetNodeReference(provenance.INPUT) is sequence.GetNodeReference(provenance.INPUT):
            found.append(other)
    return found


def needsBaseline(sequence: Any) -> bool:
    """True when the result was made from k-space, which can only be shown by a reconstruction."""
    from DynamicMRIReconSlicer import methodList

    method = methodList.find(str(provenance.request(sequence)["method"]))
    return method is not None and method["input_kind"] == "kspace"


def show(sequence: Any, baseline: Any) -> TrustNodes:
    """Make the nodes of the trust view, or bring them up to date, and show them.

    Raises
    ------
    InputError
        The two do not have the same grid and frames.
    """
    difference, factor, largest = _difference(sequence, baseline)
    shown = {"input": baseline, "result": sequence, "difference": difference}
    classical = classicalOf(sequence)
    if classical is not None and classical is not baseline:
        shown["classical"] = classical
    browser = _browser(sequence, list(shown.values()))
    proxies = {key: browser.GetProxyNode(one) for key, one in shown.items()}
    _sameWindow(proxies, sequence, largest)
    chart = _residualChart(sequence)
    folder = hierarchy.folderOf(sequences.proxyOf(sequence))
    if folder:
        table = sequence.GetNodeReference(_RESIDUAL)
        hierarchy.put(folder, *proxies.values(), *(node for node in (table, chart) if node is not None))
    layout.showTrust(proxies, chart)
    layout.offerPlayback(browser)
    return TrustNodes(browser, proxies, chart, factor)


def residual(sequence: Any) -> np.ndarray | None:
    """(frames,) the unexplained part of the measured data that the record of a result tells, or None."""
    node = sequence.GetNodeReference(provenance.PROVENANCE)
    values = provenance.fullRecord(node).get("data_consistency")
    if not isinstance(values, list) or len(values) != sequence.GetNumberOfDataNodes():
        return None
    return np.array(values, float)


def _difference(sequence: Any, baseline: Any) -> tuple[Any, float, float]:
    """Result minus input, the input scaled to the result by least squares (their units may differ).

    Gives the sequence, the factor, and what nearly all differences are below.
    """
    result, given = sequenceReader.toSeries(sequence), sequenceReader.toSeries(baseline)
    if given.array.shape != result.array.shape or not np.allclose(given.affine, result.affine, atol=1e-3):
        raise InputError(
            _(
                "{baseline} and {sequence} differ in size, place or number of frames: they cannot be "
                "subtracted. Compare their line profiles instead."
            ).format(baseline=baseline.GetName(), sequence=sequence.GetName())
        )
    power = float((given.array.astype(np.float64) ** 2).sum())
    factor = float((result.array.astype(np.float64) * given.array).sum()) / power if power > 0 else 1.0
    array = result.array - np.float32(factor) * given.array
    largest = float(np.percentile(np.abs(array), _DIFFERENCE_PERCENTILE))
    node = sequence.GetNodeReference(_DIFFERENCE)
    if node is None or node.GetNumberOfDataNodes() != len(array):
        name = _("{sequence} minus {baseline}").format(sequence=sequence.GetName(), baseline=baseline.GetName())
        images = ImageSeries(array, result.affine, result.times_s)
        node = sequences.sequenceOf(images, name, {TRUST: "difference"})
        sequence.SetNodeReferenceID(_DIFFERENCE, node.GetID())
        return node, factor, largest
    for index, frame in enumerate(array):
        slicer.util.updateVolumeFromArray(node.GetNthDataNode(index), frame)
    return node, factor, largest


def _browser(sequence: Any, shown: list[Any]) -> Any:
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    browser = next((one for one in browsers if one.GetNodeReference(TRUST) is sequence), None)
    if browser is None:
        browser = sequences.browserFor(sequence, f"Trust view of {sequence.GetName()}")
        browser.SetNodeReferenceID(TRUST, sequence.GetID())
    for one in shown:
        if not browser.IsSynchronizedSequenceNode(one, True):
            browser.AddSynchronizedSequenceNode(one)
    # What was changed in a sequence is not in its proxy before this.
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return browser


def _sameWindow(proxies: dict[str, Any], sequence: Any, largest: float) -> None:
    """All but the difference share their display, so that they keep one window and level whatever the user does."""
    result, difference = proxies["result"], proxies["difference"]
    shown = sequences.proxyOf(sequence)
    for proxy in (result, difference):
        if proxy.GetDisplayNode() is None:
            proxy.CreateDefaultDisplayNodes()
    display = result.GetDisplayNode()
    source = shown.GetDisplayNode() if shown is not None else None
    if source is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(source.GetWindowLevelMin(), source.GetWindowLevelMax())
    for key in ("input", "classical"):
        if key in proxies:
            proxies[key].SetAndObserveDisplayNodeID(display.GetID())
    window = display.GetWindow()
    half = float(np.clip(largest, _NARROWEST * window, _WIDEST * window))
    difference.GetDisplayNode().SetAutoWindowLevel(False)
    difference.GetDisplayNode().SetWindowLevelMinMax(-half, half)


def _residualChart(sequence: Any) -> Any:
    """What the data, and a reference where there is one, say to each frame."""
    unexplained, metrics = residual(sequence), provenance.metrics(sequence)
    columns = [] if unexplained is None else [("residual", "%", 100 * unexplained)]
    columns += [(_METRICS[key][0], _METRICS[key][1], np.array(values)) for key, values in metrics.items()]
    if not columns:
        return None
    times_s, _rest = sequenceReader.times(sequence)
    table = profileNodes.kept(sequence, _RESIDUAL, "vtkMRMLTableNode", f"Residual {sequence.GetName()}")
    profileNodes.fillTable(table, [("time", "s", np.sort(times_s)), *columns])
    column, unit, _rest = columns[0]
    series = profileNodes.kept(sequence, _SERIES, "vtkMRMLPlotSeriesNode", column)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("time")
    series.SetYColumnName(column)
    series.SetPlotType(series.PlotTypeScatter)
    series.SetMarkerStyle(series.MarkerStyleCircle)
    chart = profileNodes.kept(sequence, _CHART, "vtkMRMLPlotChartNode", f"Data consistency {sequence.GetName()}")
    title = _("Likeness to the reference") if unexplained is None else _("Unexplained part of the measured data")
    chart.SetTitle(f"{title}: {sequence.GetName()}{_against(metrics)}")
    chart.SetXAxisTitle(_("Time (s)"))
    chart.SetYAxisTitle(f"{'Unexplained part' if column == 'residual' else column} ({unit})")
    chart.SetLegendVisibility(False)
    chart.RemoveAllPlotSeriesNodeIDs()
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return chart


def _against(metrics: dict[str, list[float]]) -> str:
    """The means over the frames, for the chart's title."""
    if not {"psnr_db", "ssim"} <= set(metrics):
        return ""
    means = {key: float(np.mean(values)) for key, values in metrics.items()}
    return _(" (against the reference: PSNR {psnr_db:.1f} dB, SSIM {ssim:.3f})").format(
        psnr_db=means["psnr_db"], ssim=means["ssim"]
    )
