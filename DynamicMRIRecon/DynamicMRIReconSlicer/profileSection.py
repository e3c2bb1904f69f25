"""Section Line profile: pick or draw lines, measure along them over time, compare, follow them while they move."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import vtk
from slicer.util import VTKObservationMixin

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import (
    layout,
    placeLine,
    profileNodes,
    profileText,
    regionCurves,
    sequenceReader,
    sequences,
    soundImages,
    trustView,
)
from DynamicMRIReconSlicer.checkedNodes import CheckedNodes
from DynamicMRIReconSlicer.lineProfile import EDGES
from DynamicMRIReconSlicer.profileNodes import ProfileNodes
from DynamicMRIReconSlicer.profileText import EDGE_TEXTS, MARK_TEXTS
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.soundSection import SoundSection
from DynamicMRIReconSlicer.translation import tr as _

#: while a point is dragged the profile is computed anew at most so often
DRAG_MS = 40
_LINES = ("vtkMRMLMarkupsLineNode", "vtkMRMLMarkupsCurveNode")
_REGION = "region"
_PLOT_TEXTS = {**{key: f"{key} ({unit})" for key, (_, unit, _) in profileNodes.QUANTITIES.items()}, _REGION: "region"}


class ProfileSection(VTKObservationMixin):
    """Measures along lines.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    logic
        Has ``computeLineProfile`` and ``computeRegionCurve``.
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self.logic = logic
        self._observed: list[Any] = []
        self._dragged = qt.QTimer()
        self._dragged.setSingleShot(True)
        self._dragged.timeout.connect(self._lineMoved)
        self._computed: set[tuple[str, str]] = set()
        self._charts: dict[str, Any] = {}
        self.sound = SoundSection(ui, logic, self._soundChanged, lambda: self._nodes()[0])
        self.moreSequences = CheckedNodes(
            ui.moreSequencesList, ("vtkMRMLSequenceNode",), self._isOtherSequence, self._changed
        )
        self.moreLines = CheckedNodes(ui.moreLinesList, _LINES, self._isOtherLine, self._changed)
        for edge in EDGES:
            ui.profileEdgeCombo.addItem(EDGE_TEXTS[edge], edge)
        for key, text in _PLOT_TEXTS.items():
            ui.profilePlotCombo.addItem(text, key)
        for key, text in MARK_TEXTS.items():
            ui.profileMarksCombo.addItem(text, key)
        ui.profileSequenceSelector.currentNodeChanged.connect(self._changed)
        ui.profileLineSelector.currentNodeChanged.connect(self._changed)
        ui.profileRegionSelector.currentNodeChanged.connect(self._changed)
        ui.computeProfileButton.clicked.connect(self._computeClicked)
        ui.drawLineButton.clicked.connect(self._draw)
        ui.profileEdgeCombo.currentIndexChanged.connect(self._lineMoved)
        ui.profileMarksCombo.currentIndexChanged.connect(self._lineMoved)
        ui.profilePlotCombo.currentIndexChanged.connect(self._plotPicked)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeAddedEvent, self._nodesChanged)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._nodeRemoved)
        self._changed()

    def edge(self) -> str:
        """``either``, ``rising`` or ``falling``."""
        return EDGES[max(0, self.ui.profileEdgeCombo.property("currentIndex"))]

    def marks(self) -> str:
        """What turning points are called, a key of ``MARK_TEXTS``."""
        return list(MARK_TEXTS)[max(0, self.ui.profileMarksCombo.property("currentIndex"))]

    def plotted(self) -> str:
        """``position``, ``velocity``, ``acceleration`` or ``region``."""
        return list(_PLOT_TEXTS)[max(0, self.ui.profilePlotCombo.property("currentIndex"))]

    def setSequence(self, sequence: Any) -> None:
        """Pick the sequence to measure."""
        self.ui.profileSequenceSelector.setCurrentNode(sequence)

    def compute(self, show: bool = True) -> ProfileNodes | None:
        """Measure every chosen line and region in every chosen sequence; what is wrong is said in the panel.

        Gives the profile of the first line in the first sequence, None when there is no line or something is wrong.
        """
        texts: list[str] = []
        try:
            profiles = self._profiles()
            if len(profiles) == 1:
                texts.append(profileText.summary(profiles[0][1]))
            elif profiles:
                texts.append(profileText.comparison(profiles))
            tables = self._regions(texts)
        except InputError as error:
            self.ui.profileLabel.setText(str(error))
            return None
        self.ui.profileLabel.setText("\n".join(texts))
        measured = [nodes for _, nodes in profiles]
        self._charts = self._chartsOf(measured, tables)
        if show:
            self._show(measured)
        return measured[0] if measured else None

    def save(self, settings: SceneSettings) -> None:
        """Keep the choices in the scene."""
        sequence, line = self._nodes()
        settings.setNode("ProfileSequence", sequence)
        settings.setNode("ProfileLine", line)
        settings.setNode("ProfileRegion", self.ui.profileRegionSelector.currentNode())
        settings.setNodes("ProfileMoreSequences", self.moreSequences.nodes())
        settings.setNodes("ProfileMoreLines", self.moreLines.nodes())
        settings.set("ProfileEdge", self.edge())
        settings.set("ProfileMarks", self.marks())
        settings.set("ProfilePlot", self.plotted())
        self.sound.save(settings)
        settings.set("ProfileLive", bool(self.ui.profileLiveCheck.property("checked")))

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        self.ui.profileSequenceSelector.setCurrentNode(settings.getNode("ProfileSequence"))
        self.ui.profileLineSelector.setCurrentNode(settings.getNode("ProfileLine"))
        self.ui.profileRegionSelector.setCurrentNode(settings.getNode("ProfileRegion"))
        self.moreSequences.setNodes(settings.getNodes("ProfileMoreSequences"))
        self.moreLines.setNodes(settings.getNodes("ProfileMoreLines"))
        marks = settings.get("ProfileMarks", "turns")
        self.ui.profileMarksCombo.setCurrentIndex(list(MARK_TEXTS).index(marks) if marks in MARK_TEXTS else 0)
        edge, plot = settings.get("ProfileEdge", "either"), settings.get("ProfilePlot", "position")
        self.ui.profileEdgeCombo.setCurrentIndex(EDGES.index(edge) if edge in EDGES else 0)
        self.ui.profilePlotCombo.setCurrentIndex(list(_PLOT_TEXTS).index(plot) if plot in _PLOT_TEXTS else 0)
        self.sound.restore(settings)
        self.ui.profileLiveCheck.setChecked(bool(settings.get("ProfileLive", True)))
        self._changed()

    def stop(self) -> None:
        """Follow no line any more."""
        self._dragged.stop()
        self.sound.stop()
        self._follow([])
        self._computed.clear()
        self._charts = {}

    def cleanup(self) -> None:
        """The panel goes."""
        self.stop()
        self.removeObservers()

    def _nodes(self) -> tuple[Any, Any]:
        return self.ui.profileSequenceSelector.currentNode(), self.ui.profileLineSelector.currentNode()

    def _chosen(self) -> tuple[list[Any], list[Any]]:
        """All chosen sequences and all chosen lines, the main ones first."""
        sequence, line = self._nodes()
        allSequences = [sequence, *self.moreSequences.nodes()]
        allLines = [line, *self.moreLines.nodes()]
        return [node for node in allSequences if node is not None], [node for node in allLines if node is not None]

    def _profiles(self) -> list[tuple[str, ProfileNodes]]:
        chosenSequences, lines = self._chosen()
        profiles = []
        # Sequence by sequence: the images are kept from one line to the next.
        for sequence in chosenSequences:
            for line in lines:
                # The sound is shown once, below the first M-mode.
                nodes = self.logic.computeLineProfile(sequence, line, self.edge(), self.marks(), not profiles)
                self._computed.add((sequence.GetID(), line.GetID()))
                profiles.append((f"{sequence.GetName()}, {line.GetName()}", nodes))
        return profiles

    def _regions(self, texts: list[str]) -> list[Any]:
        region = self.ui.profileRegionSelector.currentNode()
        tables = []
        for sequence in self._chosen()[0] if region is not None else []:
            table, curve = self.logic.computeRegionCurve(sequence, region)
            texts.append(profileText.region(f"{sequence.GetName()}, {region.GetName()}", curve))
            tables.append(table)
        return tables

    def _chartsOf(self, profiles: list[ProfileNodes], tables: list[Any]) -> dict[str, Any]:
        charts: dict[str, Any] = {}
        if len(profiles) == 1:
            charts.update(profiles[0].charts)
        elif profiles:
            charts.update({key: profileNodes.comparisonChart(key, profiles) for key in profileNodes.QUANTITIES})
        if tables:
            charts[_REGION] = regionCurves.chart(tables)
        return charts

    def _show(self, profiles: list[ProfileNodes]) -> None:
        chart = self._charts.get(self.plotted()) or next(iter(self._charts.values()), None)
        if chart is None:
            return
        volumes = [nodes.volume for nodes in profiles]
        hatches = [profileNodes.hatchOf(volume) for volume in volumes]
        withSound = bool(volumes) and bool(soundImages.of(volumes[0]))
        layout.showProfiles(volumes, hatches, sequences.proxyOf(self._nodes()[0]), chart, withSound)

    def _plotPicked(self, *_: Any) -> None:
        chart = self._charts.get(self.plotted())
        if chart is not None:
            layout.showChart(chart)

    def _isOtherSequence(self, node: Any) -> bool:
        # Differences of the trust view have no edges of their own.
        other = node is not self._nodes()[0] and node.GetAttribute(trustView.TRUST) is None
        return other and sequenceReader.isSeries(node)

    def _isOtherLine(self, node: Any) -> bool:
        return node is not self._nodes()[1] and not node.IsA("vtkMRMLMarkupsClosedCurveNode")

    def _changed(self, *_: Any) -> None:
        self.moreSequences.refresh()
        self.moreLines.refresh()
        self._follow(self._chosen()[1])
        self._showReady()
        self.sound.update()

    def _nodesChanged(self, *_: Any) -> None:
        if not slicer.mrmlScene.IsBatchProcessing():
            self._changed()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _nodeRemoved(self, _caller: Any, _event: str, node: Any) -> None:
        if not slicer.mrmlScene.IsBatchProcessing():
            self.moreSequences.refresh(leaveOut=node)
            self.moreLines.refresh(leaveOut=node)

    def _follow(self, lines: list[Any]) -> None:
        """Notice when these lines are moved, and no others."""
        if lines == self._observed:
            return
        for line in self._observed:
            for event in (line.PointEndInteractionEvent, line.PointPositionDefinedEvent):
                self.removeObserver(line, event, self._lineMoved)
            self.removeObserver(line, line.PointModifiedEvent, self._lineMoving)
        self._observed = list(lines)
        for line in lines:
            for event in (line.PointEndInteractionEvent, line.PointPositionDefinedEvent):
                self.addObserver(line, event, self._lineMoved)
            self.addObserver(line, line.PointModifiedEvent, self._lineMoving)

    def _showReady(self) -> None:
        sequence, _rest = self._nodes()
        lines = self._chosen()[1]
        region = self.ui.profileRegionSelector.currentNode()
        reason = None
        if sequence is None:
            reason = _("Pick the sequence to measure.")
        elif not lines and region is None:
            reason = _("Pick a line, or press Draw line.")
        elif any(line.GetNumberOfDefinedControlPoints() < 2 for line in lines):
            reason = _("Click two points in a slice view to complete the line.")
        self.ui.computeProfileButton.setEnabled(reason is None)
        self.ui.computeProfileButton.setToolTip(reason or _("Measure along the lines in every frame"))
        if reason is not None or not self.ui.profileLabel.property("text"):
            self.ui.profileLabel.setText(reason or _("Press Compute."))

    def _lineMoving(self, *_args: Any) -> None:
        """A point is dragged: of the many events that come, one in each short while counts."""
        if not self._dragged.property("active"):
            self._dragged.start(DRAG_MS)

    def _lineMoved(self, *_: Any) -> None:
        self._showReady()
        chosenSequences, lines = self._chosen()
        pairs = {(sequence.GetID(), line.GetID()) for sequence in chosenSequences for line in lines}
        complete = all(line.GetNumberOfDefinedControlPoints() >= 2 for line in lines)
        if self.ui.profileLiveCheck.property("checked") and pairs and pairs <= self._computed and complete:
            self.compute(show=False)

    def _soundChanged(self) -> None:
        """Show another sound below a profile that is shown already."""
        chosenSequences, lines = self._chosen()
        if any((one.GetID(), line.GetID()) in self._computed for one in chosenSequences for line in lines):
            self.compute()

    def _computeClicked(self, *_: Any) -> None:
        self.compute()

    def _draw(self, *_: Any) -> None:
        self.ui.profileLineSelector.setCurrentNode(placeLine.start())
