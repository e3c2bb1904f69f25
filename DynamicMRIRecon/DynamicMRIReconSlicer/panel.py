"""The panel as a whole: its sections, what happens on Reconstruct, and its life with the scene."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.util import VTKObservationMixin

from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconSlicer import costEstimate, install, provenance, repeat, texts, trustView
from DynamicMRIReconSlicer.exportSection import ExportSection
from DynamicMRIReconSlicer.inputSection import InputSection
from DynamicMRIReconSlicer.methodSection import MethodSection
from DynamicMRIReconSlicer.profileSection import ProfileSection
from DynamicMRIReconSlicer.resultsSection import ResultsSection
from DynamicMRIReconSlicer.runSection import RunSection
from DynamicMRIReconSlicer.sceneSettings import SceneSettings

_KINDS = {"kspace": "k-space", "series": "an image series", "stacks": "two or more image stacks"}


class Panel(VTKObservationMixin):
    """Connects the sections.

    Parameters
    ----------
    ui
        The widgets of the .ui file by name.
    logic
        Starts reconstructions and computes profiles.
    requirementsPath
        Packages to ask for when Reconstruct is pressed.
    """

    def __init__(self, ui: Any, logic: Any, requirementsPath: str) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self.logic = logic
        self.run: Any = None
        self._requirementsPath = requirementsPath
        self._restoring = True
        self._startWhenReady = False
        self.method = MethodSection(ui, self.update)
        self.input = InputSection(ui, self.update)
        self.runSection = RunSection(ui)
        self.results = ResultsSection(ui, self._resultPicked, self.trust, self.repeat)
        self.export = ExportSection(ui, logic, self.results.current, requirementsPath)
        self.profile = ProfileSection(ui, logic)
        self._restoring = False
        ui.notDiagnosticLabel.setText(texts.NOT_DIAGNOSTIC)
        ui.reconstructButton.clicked.connect(self._reconstructClicked)
        ui.cancelButton.clicked.connect(self._cancelClicked)
        ui.deviceCombo.currentIndexChanged.connect(self.update)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._sceneChanged)
        self.update()

    def whyNot(self) -> str | None:
        """Why Reconstruct cannot be pressed, in words for its tool tip; None when it can."""
        reason = self.input.problem()
        if reason is not None:
            return reason
        needed, kind = self.method.method["input_kind"], self.input.kind()
        if kind is not None and kind != needed:
            if not self.input.canSimulate(needed):
                return f"{self.method.method['title']} needs {_KINDS[needed]}; this is {_KINDS.get(kind, kind)}."
            if not self.ui.simulateGroup.property("checked"):
                return (
                    f"{self.method.method['title']} needs {_KINDS[needed]}; this is {_KINDS[kind]}. Tick the teaching "
                    "box under Input to simulate an acquisition, or pick another method."
                )
        return (self._libraryRefuses() if kind == needed else None) or self.method.problem()

    def update(self, *_: Any) -> None:
        """Bring every widget in line with the choices."""
        if self._restoring:
            return
        self.input.showSimulation(self.method.method["input_kind"])
        simulation = self.input.simulation(self.method.method["input_kind"], self.runSection.seed())
        self.method.showEstimate(costEstimate.simulated(self.input.description, simulation), self.runSection.device())
        self.runSection.setReady(self.whyNot(), self.run is not None)
        self.save()
        self._startIfWanted()

    def reconstruct(self) -> None:
        """What the button does."""
        if self.run is not None or self.whyNot() is not None:
            return
        self.save()
        try:
            install.ensure(self._requirementsPath)
            self._start()
        except (install.NotInstalled, ReconError, OSError) as error:
            self.run = None
            self.runSection.setError(str(error))
        self.update()

    def repeat(self, sequence: Any, start: bool) -> None:
        """Set every choice to what ``sequence`` was made with; with ``start``, reconstruct as soon as that can be."""
        try:
            source = self.logic.inputOf(sequence)
            self.save()
            repeat.intoSettings(sequence, source, SceneSettings(self.logic.getParameterNode()))
        except ReconError as error:
            self.runSection.setError(str(error))
            return
        self._startWhenReady = start and self.run is None
        self.restore()

    def trust(self, sequence: Any) -> None:
        """Show input, result and difference; the gridding of k-space is reconstructed first where it is missing."""
        try:
            baseline = trustView.baselineOf(sequence)
            if baseline is not None:
                trustView.show(sequence, baseline)
                self.runSection.setError(None)
            elif trustView.needsBaseline(sequence):
                self._startBaseline(sequence)
            else:
                raise InputError(f"The images that {sequence.GetName()} was made from are not in the scene any more.")
        except (install.NotInstalled, ReconError, OSError) as error:
            self.runSection.setError(str(error))
        self.update()

    def cancel(self) -> None:
        """What the Cancel button does."""
        if self.run is not None:
            self.runSection.cancelling()
            self.run.cancel()

    def save(self) -> None:
        """Keep all choices in the scene."""
        if self._restoring or slicer.mrmlScene.IsClosing() or slicer.mrmlScene.IsImporting():
            return
        settings = SceneSettings(self.logic.getParameterNode())
        for section in (self.input, self.method, self.runSection, self.export, self.profile):
            section.save(settings)

    def restore(self) -> None:
        """Show the choices that the scene keeps."""
        settings = SceneSettings(self.logic.getParameterNode())
        self._restoring = True
        for section in (self.method, self.input, self.runSection, self.export, self.profile):
            section.restore(settings)
        self._restoring = False
        self.results.refresh()
        self.update()

    def sceneCloses(self) -> None:
        """End what belongs to the scene."""
        self._startWhenReady = False
        self.input.stop()
        self.export.stop()
        self.profile.stop()
        self.logic.stopAll()
        if self.run is not None:
            self.run = None
            self.runSection.end({"event": "cancelled"}, [])

    def cleanup(self) -> None:
        """The panel goes: end everything and observe nothing."""
        self._restoring = True
        self.sceneCloses()
        self.profile.cleanup()
        self.removeObservers()

    def _libraryRefuses(self) -> str | None:
        """The library's own reason why this file does not fit the method, where a file has been looked into."""
        key = self.method.method["key"]
        fits = (self.input.description or {}).get("methods", [])
        return next((str(one["why_not"]) for one in fits if one["key"] == key and one["why_not"]), None)

    def _start(self) -> None:
        needed = self.method.method["input_kind"]
        seed = self.runSection.seed()
        name = f"{self._inputName()} {self.method.method['key']}"
        self.runSection.begin(name)
        self.run = self.logic.startReconstruction(
            self.input.source(),
            self.method.method["key"],
            self.method.values(),
            preset=self.method.preset(),
            device=self.runSection.device(),
            seed=seed,
            read=self.input.readOptions(),
            simulate=self.input.simulation(needed, seed),
            name=name,
            onEvent=self.runSection.event,
            onFinished=self._finished,
            onLog=self.runSection.log,
        )
        if not self.run.running:
            self.run = None

    def _startBaseline(self, sequence: Any) -> None:
        """Reconstruct what shows the k-space of ``sequence`` without any method, then show the trust view."""
        if self.run is not None:
            raise InputError("The trust view needs the gridding of this k-space: press again when the run has ended.")
        install.ensure(self._requirementsPath)
        asked, identifier = provenance.request(sequence), sequence.GetID()

        def finished(result: Any, event: dict[str, Any]) -> None:
            self._finished(result, event)
            still = slicer.mrmlScene.GetNodeByID(identifier)
            if result is not None and still is not None:
                self.results.refresh(select=still)
                self.trust(still)

        name = f"{asked['name'].removesuffix(asked['method']).strip()} {trustView.BASELINE}"
        self.runSection.begin(name)
        self.run = self.logic.startReconstruction(
            self.logic.inputOf(sequence),
            trustView.BASELINE,
            device=asked["device"],
            seed=asked["seed"],
            read=asked["read"],
            simulate=asked["simulate"],
            name=name,
            onEvent=self.runSection.event,
            onFinished=finished,
            onLog=self.runSection.log,
        )
        if not self.run.running:
            self.run = None

    def _inputName(self) -> str:
        path = self.input.path()
        return path.name.split(".")[0] if path is not None else str(self.input.source().GetName())

    def _finished(self, result: Any, event: dict[str, Any]) -> None:
        self.run = None
        self.runSection.end(event, list(result.warnings) if result is not None else [])
        if result is not None:
            self.results.refresh(select=result.sequence)
            self.results.show(result.sequence)
            self.profile.setSequence(result.sequence)
        self.update()

    def _startIfWanted(self) -> None:
        """Start a repeat that had to wait until its file was looked into."""
        if not self._startWhenReady or self.input.busy:
            return
        self._startWhenReady = False
        self.reconstruct()

    def _resultPicked(self) -> None:
        if not self._restoring:
            self.export.update()

    def _sceneChanged(self, *_: Any) -> None:
        if not slicer.mrmlScene.IsBatchProcessing():
            self.results.refresh()

    def _reconstructClicked(self, *_: Any) -> None:
        self.reconstruct()

    def _cancelClicked(self, *_: Any) -> None:
        self.cancel()
