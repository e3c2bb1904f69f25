"""From an image series to a Sequence that plays in true position and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconSlicer.translation import tr as _

#: Slicer merges items whose index values differ by less than 0.001; seconds are used only well above that
SMALLEST_STEP_S = 0.002
SYNTHETIC = "synthetic"
TIME_S = "time_s"
#: grey values between these percentiles fill the display window
WINDOW_PERCENTILES = (0.5, 99.8)


@dataclass(frozen=True)
class SequenceNodes:
    """A sequence, the browser that plays it, and the volume that shows its current frame."""

    sequence: Any
    browser: Any
    proxy: Any


def indexUnit(times_s: np.ndarray) -> tuple[str, float]:
    """The unit of the index and how many of it a second is: seconds, or milliseconds for very short frames."""
    steps = np.diff(times_s)
    return ("ms", 1000.0) if steps.size and steps.min() < SMALLEST_STEP_S else ("s", 1.0)


def fromSeries(
    series: ImageSeries, name: str, attributes: dict[str, str] | None = None, browser: Any = None
) -> SequenceNodes:
    """Put ``series`` into the scene as magnitudes.

    Parameters
    ----------
    series
        Frames, affine and times; complex values are shown as magnitudes.
    name
        Of the sequence and its proxy volume.
    attributes
        Kept with the sequence and in ``.seq.nrrd`` files written from it.
    browser
        Plays it in step with what that browser has already, instead of a browser of its own; its master must have at
        least as many frames, or some of these would never be shown.

    Raises
    ------
    ValueError
        The browser's master has fewer frames.
    RuntimeError
        Slicer merged frames: their times are too close to each other.
    """
    if browser is not None and browser.GetMasterSequenceNode().GetNumberOfDataNodes() < series.frames:
        raise ValueError(_("{name} has more frames than the sequence it shall play with.").format(name=name))
    sequence = sequenceOf(series, name, attributes)
    if browser is None:
        browser = browserFor(sequence, f"{sequence.GetName()} browser")
    else:
        browser.AddSynchronizedSequenceNode(sequence)
    return SequenceNodes(sequence, browser, _shown(browser.GetProxyNode(sequence), series.magnitude()))


def sequenceOf(series: ImageSeries, name: str, attributes: dict[str, str] | None = None) -> Any:
    """The magnitudes of ``series`` (a real one with its signs) as a sequence that nothing plays yet.

    Raises
    ------
    RuntimeError
        Slicer merged frames: their times are too close to each other.
    """
    magnitude = series.magnitude()
    matrix = np.array(magnitude.affine)
    assert np.linalg.det(matrix[:3, :3]) > 0, "a left-handed matrix would be mirrored by a file round trip"
    unit, factor = indexUnit(magnitude.times_s)
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", slicer.mrmlScene.GenerateUniqueName(name))
    sequence.SetIndexName("time")
    sequence.SetIndexUnit(unit)
    sequence.SetIndexTypeFromString("numeric")
    sequence.SetNumericIndexValueTolerance(1e-6)
    for key, text in (attributes or {}).items():
        sequence.SetAttribute(key, text)
    _fill(sequence, magnitude, matrix, factor)
    if sequence.GetNumberOfDataNodes() != magnitude.frames:
        kept = sequence.GetNumberOfDataNodes()
        slicer.mrmlScene.RemoveNode(sequence)
        raise RuntimeError(
            _("Only {kept} of {frames} frames could be kept: frame times are too close.").format(
                kept=kept, frames=magnitude.frames
            )
        )
    return sequence


def _fill(sequence: Any, series: ImageSeries, matrix: np.ndarray, factor: float) -> None:
    ijkToRas = slicer.util.vtkMatrixFromArray(matrix)
    assert series.synthetic is not None
    was = sequence.StartModify()
    for frame, time_s, synthetic in zip(series.array, series.times_s, series.synthetic, strict=True):
        volume = slicer.vtkMRMLScalarVolumeNode()
        volume.SetName(sequence.GetName())
        volume.SetIJKToRASMatrix(ijkToRas)
        slicer.util.updateVolumeFromArray(volume, np.ascontiguousarray(frame, dtype=np.float32))
        volume.SetAttribute(TIME_S, f"{time_s:.6f}")
        if synthetic:
            volume.SetAttribute(SYNTHETIC, "1")
        sequence.SetDataNodeAtValue(volume, f"{time_s * factor:.6f}")
    sequence.EndModify(was)


def browserFor(sequence: Any, name: str) -> Any:
    """A new browser that plays ``sequence`` at its true speed, again and again."""
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.SetIndexDisplayFormat("%.3f")
    browser.SetPlaybackLooped(True)
    browser.SetPlaybackItemSkippingEnabled(False)
    count = sequence.GetNumberOfDataNodes()
    if count > 1:
        values = np.array([float(sequence.GetNthIndexValue(i)) for i in range(count)])
        perSecond = 1000.0 if sequence.GetIndexUnit() == "ms" else 1.0
        browser.SetPlaybackRateFps(float(perSecond / np.median(np.diff(values))))
    return browser


def playAlso(browser: Any, sequence: Any) -> None:
    """Let ``browser`` play ``sequence`` in step, in the volume that shows it already, where their times agree."""
    master, proxy = browser.GetMasterSequenceNode(), proxyOf(sequence)
    if proxy is None or browser.IsSynchronizedSequenceNode(sequence, True):
        return
    if sequence.GetIndexUnit() != master.GetIndexUnit() or _indices(sequence) != _indices(master):
        return
    browser.AddSynchronizedSequenceNode(sequence)
    browser.AddProxyNode(proxy, sequence, False)


def _indices(sequence: Any) -> list[float]:
    return [round(float(sequence.GetNthIndexValue(i)), 3) for i in range(sequence.GetNumberOfDataNodes())]


def _shown(proxy: Any, series: ImageSeries) -> Any:
    """The proxy volume with a display window that fits all frames."""
    proxy.CreateDefaultDisplayNodes()
    low, high = np.percentile(series.array, WINDOW_PERCENTILES)
    display = proxy.GetDisplayNode()
    if display is not None and high > low:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(float(low), float(high))
    return proxy


def browserOf(sequence: Any) -> Any:
    """The first browser that plays ``sequence``, or None."""
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode"):
        if browser.IsSynchronizedSequenceNode(sequence, True):
            return browser
    return None


def proxyOf(sequence: Any) -> Any:
    """The volume that shows the current frame of ``sequence``, or None."""
    browser = browserOf(sequence)
    return browser.GetProxyNode(sequence) if browser is not None else None
