"""Line profiles over time of the sequences in the scene; their nodes are made once, then kept up to date."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import slicer

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles import MMode, curve_profile
from DynamicMRIReconLib.profiles.uncertainty import UNCERTAINTY
from DynamicMRIReconSlicer import hierarchy, profileNodes, provenance, sequenceReader, sound, viewTexts
from DynamicMRIReconSlicer.mmodeImage import updateMModeVolume
from DynamicMRIReconSlicer.profileNodes import ProfileNodes
from DynamicMRIReconSlicer.sequences import proxyOf
from DynamicMRIReconSlicer.translation import tr as _

_LINE = "DynamicMRIRecon.Line"
_SEQUENCE = "DynamicMRIRecon.Sequence"
_EDGE = "DynamicMRIRecon.Edge"
EDGES = ("either", "rising", "falling")


class LineProfiles:
    """Computes line profiles; keeps the images of the last sequence, so that dragging a line stays smooth."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] | None = None
        self._series: ImageSeries | None = None
        #: what was recorded with the images
        self.sound: sound.Sound | None = None

    def compute(
        self, sequence: Any, lineNode: Any, edge: str = "either", marks: str = "turns", withSound: bool = True
    ) -> ProfileNodes:
        """Profile of ``sequence`` along ``lineNode``; nodes of an earlier profile of the two are used again.

        Parameters
        ----------
        edge
            Which edge to follow from the line's first point: ``rising`` (dark to bright), ``falling`` or ``either``.
        marks
            What turning points are called: ``turns``, ``diastole`` or ``systole`` (which of the two is furthest from
            the line's start), ``speech`` (opening and constriction).
        withSound
            Whether the images of ``sound``, where there is one, are made too.

        Raises
        ------
        InputError
            The line is not complete or lies outside the images, or the sequence holds no images.
        """
        mmode = self.measure(sequence, lineNode, edge)
        name = f"{sequence.GetName()} along {lineNode.GetName()}"
        volume = findVolume(sequence, lineNode) or _newVolume(sequence, lineNode, name)
        updateMModeVolume(volume, mmode)
        viewTexts.updateScales(volume, mmode)
        volume.SetAttribute(_EDGE, edge)
        volume.SetAttribute(profileNodes.MARKS, marks)
        nodes = profileNodes.update(volume, mmode, name, f"{sequence.GetName()}, {lineNode.GetName()}")
        sound.show(volume, mmode, self.sound if withSound else None)
        _intoFolder(sequence, lineNode, volume)
        return nodes

    def measure(self, sequence: Any, lineNode: Any, edge: str = "either") -> MMode:
        """The profile alone, without any node; parameters and errors as for ``compute``."""
        return curve_profile(self.imagesOf(sequence), pointsOf(lineNode), edge=edge)  # type: ignore[arg-type]

    def forget(self) -> None:
        """Free the kept images."""
        self._key = self._series = None

    def imagesOf(self, sequence: Any) -> ImageSeries:
        """The images of a sequence, where its transform puts them; kept until another one is asked for."""
        if sequence is None:
            raise InputError(_("Pick the sequence to measure."))
        proxy = proxyOf(sequence)
        transform = proxy.GetParentTransformNode() if proxy is not None else None
        moved = (transform.GetID(), transform.GetTransformToWorldMTime()) if transform is not None else None
        deviations = sequence.GetNodeReference(provenance.UNCERTAINTY)
        known = (deviations.GetID(), deviations.GetMTime()) if deviations is not None else None
        key = (sequence.GetID(), sequence.GetMTime(), moved, known)
        if key != self._key:
            self._series, self._key = _withUncertainty(sequenceReader.toSeries(sequence), deviations), key
        assert self._series is not None
        return self._series


def _withUncertainty(series: ImageSeries, deviations: Any) -> ImageSeries:
    """``series`` with the standard deviations of a sequence, where that has the same frames and grid."""
    if deviations is None:
        return series
    told = sequenceReader.toSeries(deviations).array
    return replace(series, parts={UNCERTAINTY: told}) if told.shape == series.array.shape else series


def pointsOf(lineNode: Any) -> np.ndarray:
    """(n, 3) RAS points of a line, or close ones along a curve.

    Raises
    ------
    InputError
        It has fewer than two points.
    """
    if lineNode is None or lineNode.GetNumberOfDefinedControlPoints() < 2:
        raise InputError(_("The line needs two points: pick or draw one across the moving edge."))
    if lineNode.IsA("vtkMRMLMarkupsCurveNode"):
        return np.asarray(slicer.util.arrayFromMarkupsCurvePoints(lineNode, world=True), float)
    return np.asarray(slicer.util.arrayFromMarkupsControlPoints(lineNode, world=True), float)


def findVolume(sequence: Any, lineNode: Any) -> Any:
    """The M-mode volume of an earlier profile of these two nodes, or None."""
    for volume in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if volume.GetNodeReference(_SEQUENCE) is sequence and volume.GetNodeReference(_LINE) is lineNode:
            return volume
    return None


def ofSequence(sequence: Any) -> list[tuple[Any, str, str]]:
    """Line, kind of edge and names of the turning points of each profile of a sequence in the scene."""
    found = []
    for volume in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        line = volume.GetNodeReference(_LINE)
        if volume.GetNodeReference(_SEQUENCE) is sequence and line is not None:
            marks = volume.GetAttribute(profileNodes.MARKS) or "turns"
            found.append((line, volume.GetAttribute(_EDGE) or "either", marks))
    return found


def _newVolume(sequence: Any, lineNode: Any, name: str) -> Any:
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"M-mode {name}")
    volume.SetNodeReferenceID(_SEQUENCE, sequence.GetID())
    volume.SetNodeReferenceID(_LINE, lineNode.GetID())
    return volume


def _intoFolder(sequence: Any, lineNode: Any, volume: Any) -> None:
    proxy = proxyOf(sequence)
    folder = hierarchy.folderOf(proxy)
    if not folder:
        # Not a result of ours: give its profile a folder once, and leave the user's own order alone.
        folder = hierarchy.folderOf(volume) or hierarchy.folder(volume.GetName())
    hierarchy.put(folder, volume, *profileNodes.belonging(volume))
    if not hierarchy.folderOf(lineNode):
        hierarchy.put(folder, lineNode)
