"""Section Line profile: pick or draw a line, measure along it over time, follow it while it moves."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.util import VTKObservationMixin

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import layout, sequences
from DynamicMRIReconSlicer.lineProfile import EDGES, ProfileNodes
from DynamicMRIReconSlicer.sceneSettings import SceneSettings

EDGE_TEXTS = {"either": "the strongest", "rising": "dark to bright", "falling": "bright to dark"}


class ProfileSection(VTKObservationMixin):
    """Measures along a line.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    logic
        Has ``computeLineProfile``.
    """

    def __init__(self, ui: Any, logic: Any) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self.logic = logic
        self._observed: Any = None
        self._computed: set[tuple[str, str]] = set()
        for edge in EDGES:
            ui.profileEdgeCombo.addItem(EDGE_TEXTS[edge], edge)
        ui.profileSequenceSelector.currentNodeChanged.connect(self._changed)
        ui.profileLineSelector.currentNodeChanged.connect(self._changed)
        ui.computeProfileButton.clicked.connect(self._computeClicked)
        ui.drawLineButton.clicked.connect(self._draw)
        ui.profileEdgeCombo.currentIndexChanged.connect(self._lineMoved)
        self._changed()

    def edge(self) -> str:
        """``either``, ``rising`` or ``falling``."""
        return EDGES[max(0, self.ui.profileEdgeCombo.property("currentIndex"))]

    def setSequence(self, sequence: Any) -> None:
        """Pick the sequence to measure."""
        self.ui.profileSequenceSelector.setCurrentNode(sequence)

    def compute(self, show: bool = True) -> ProfileNodes | None:
        """Measure now; what is wrong is said in the panel."""
        sequence, line = self._nodes()
        try:
            nodes = self.logic.computeLineProfile(sequence, line, self.edge())
        except InputError as error:
            self.ui.profileLabel.setText(str(error))
            return None
        self._computed.add((sequence.GetID(), line.GetID()))
        self.ui.profileLabel.setText(summary(nodes))
        if show:
            layout.showProfile(nodes.volume, sequences.proxyOf(sequence), nodes.edgeChart)
        return nodes

    def save(self, settings: SceneSettings) -> None:
        """Keep the choices in the scene."""
        sequence, line = self._nodes()
        settings.setNode("ProfileSequence", sequence)
        settings.setNode("ProfileLine", line)
        settings.set("ProfileEdge", self.edge())
        settings.set("ProfileLive", bool(self.ui.profileLiveCheck.property("checked")))

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        self.ui.profileSequenceSelector.setCurrentNode(settings.getNode("ProfileSequence"))
        self.ui.profileLineSelector.setCurrentNode(settings.getNode("ProfileLine"))
        edge = settings.get("ProfileEdge", "either")
        self.ui.profileEdgeCombo.setCurrentIndex(EDGES.index(edge) if edge in EDGES else 0)
        self.ui.profileLiveCheck.setChecked(bool(settings.get("ProfileLive", True)))
        self._changed()

    def stop(self) -> None:
        """Follow no line any more."""
        self.removeObservers()
        self._observed = None
        self._computed.clear()

    def _nodes(self) -> tuple[Any, Any]:
        return self.ui.profileSequenceSelector.currentNode(), self.ui.profileLineSelector.currentNode()

    def _changed(self, *_: Any) -> None:
        _, line = self._nodes()
        if line is not self._observed:
            self.removeObservers()
            self._observed = line
            if line is not None:
                self.addObserver(line, line.PointEndInteractionEvent, self._lineMoved)
                self.addObserver(line, line.PointPositionDefinedEvent, self._lineMoved)
        self._showReady()

    def _showReady(self) -> None:
        sequence, line = self._nodes()
        reason = None
        if sequence is None:
            reason = "Pick the sequence to measure."
        elif line is None:
            reason = "Pick a line, or press Draw line."
        elif line.GetNumberOfDefinedControlPoints() < 2:
            reason = "Click two points in a slice view to complete the line."
        self.ui.computeProfileButton.setEnabled(reason is None)
        self.ui.computeProfileButton.setToolTip(reason or "Measure along the line in every frame")
        if reason is not None or not self.ui.profileLabel.property("text"):
            self.ui.profileLabel.setText(reason or "Press Compute.")

    def _lineMoved(self, *_: Any) -> None:
        self._showReady()
        sequence, line = self._nodes()
        live = self.ui.profileLiveCheck.property("checked")
        known = sequence is not None and line is not None and (sequence.GetID(), line.GetID()) in self._computed
        if live and known and line.GetNumberOfDefinedControlPoints() >= 2:
            self.compute(show=False)

    def _computeClicked(self, *_: Any) -> None:
        self.compute()

    def _draw(self, *_: Any) -> None:
        line = slicer.mrmlScene.AddNewNodeByClass(
            "vtkMRMLMarkupsLineNode", slicer.mrmlScene.GenerateUniqueName("Profile line")
        )
        line.CreateDefaultDisplayNodes()
        self.ui.profileLineSelector.setCurrentNode(line)
        selection = slicer.app.applicationLogic().GetSelectionNode()
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        if selection is not None and interaction is not None:
            selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsLineNode")
            selection.SetActivePlaceNodeID(line.GetID())
            interaction.SetCurrentInteractionMode(interaction.Place)


def summary(nodes: ProfileNodes) -> str:
    """The figures of a profile in one sentence."""
    mmode = nodes.mmode
    length, frames = float(mmode.positions_mm[-1]), len(mmode.times_s)
    edges = mmode.edges_mm[mmode.edges_mm == mmode.edges_mm]
    text = f"Line of {length:.1f} mm over {frames} frames, {mmode.times_s[-1] - mmode.times_s[0]:.3f} s."
    if not edges.size:
        return f"{text} No edge was found along it."
    speed = abs(mmode.velocity_mm_per_s)
    speed = speed[speed == speed]
    fastest = f", at most {speed.max():.1f} mm/s" if speed.size else ""
    low, high = edges.min(), edges.max()
    return f"{text} The edge moves {high - low:.1f} mm (between {low:.1f} and {high:.1f} mm){fastest}."
