"""The panel as a whole: its sections, what happens on Reconstruct, and its life with the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.util import VTKObservationMixin

from DynamicMRIReconLib.errors import InputError, ReconError
from DynamicMRIReconSlicer import (
    costEstimate,
    install,
    provenance,
    repeat,
    stackRegistrar,
    texts,
    trustBaseline,
    trustView,
    unfinishedRuns,
)
from DynamicMRIReconSlicer.exportSection import ExportSection
from DynamicMRIReconSlicer.heartPhaseSection import HeartPhaseSection
from DynamicMRIReconSlicer.heartRegionSection import HeartRegionSection
from DynamicMRIReconSlicer.inputSection import InputSection
from DynamicMRIReconSlicer.jobQueue import JobQueue
from DynamicMRIReconSlicer.methodFit import MethodFit
from DynamicMRIReconSlicer.methodSection import MethodSection
from DynamicMRIReconSlicer.profileSection import ProfileSection
from DynamicMRIReconSlicer.referenceSection import ReferenceSection
from DynamicMRIReconSlicer.resultsSection import ResultsSection
from DynamicMRIReconSlicer.runOnSection import RunOnSection
from DynamicMRIReconSlicer.runSection import QUICK_LOOK_FRAMES, RunSection
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.stacksSection import StacksSection
from DynamicMRIReconSlicer.translation import tr as _

_QUICK_LOOK = " quick look"
_CLUSTER_REQUIREMENTS = "requirements-cluster.txt"


class Panel(VTKObservationMixin):
    """Connects the sections. Nothing is shown or kept before ``restore`` has shown what the scene keeps.

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
        self._requirementsPath = requirementsPath
        self._restoring = True
        self._startWhenReady = False
        self._frames: tuple[int, int] | None = None
        self.method = MethodSection(ui, self.update)
        self.input = InputSection(ui, self.update)
        self.phase = HeartPhaseSection(ui, self.method.form, self.input, self.update, requirementsPath)
        self.region = HeartRegionSection(ui, self.method.form, self.input, self.phase, requirementsPath)
        self.stacks = StacksSection(ui, self.update, self.registerStacks)
        self.fit = MethodFit(ui, self.input, self.stacks)
        self.runSection = RunSection(ui)
        self.runOn = RunOnSection(ui, self.update)
        self.reference = ReferenceSection(ui, self.update)
        self.queue = JobQueue(logic, self.runSection, self._finished, self.update)
        self.results = ResultsSection(ui, self._resultPicked, self.trust, self.repeat)
        self.export = ExportSection(ui, logic, self.results.current, requirementsPath)
        self.profile = ProfileSection(ui, logic)
        ui.notDiagnosticLabel.setText(texts.NOT_DIAGNOSTIC)
        ui.reconstructButton.clicked.connect(self._reconstructClicked)
        ui.quickLookButton.clicked.connect(lambda *_: self.quickLook())
        ui.clearQueueButton.clicked.connect(lambda *_: self.queue.forget())
        ui.cancelButton.clicked.connect(self._cancelClicked)
        ui.deviceCombo.currentIndexChanged.connect(self.update)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self._sceneChanged)

    def whyNot(self) -> str | None:
        """Why Reconstruct cannot be pressed, in words for its tool tip; None when it can."""
        if self.fit.usesStacks(self.method.method):
            return self.stacks.problem() or self.method.problem() or self.runOn.problem()
        problem = self.input.problem() or self.fit.whyNot(self.method.method) or self.method.problem()
        return problem or self.reference.problem() or self.runOn.problem()

    def update(self, *_: Any) -> None:
        """Bring every widget in line with the choices."""
        if self._restoring:
            return
        self._suggest()
        self.input.showSimulation(self.method.method["input_kind"])
        self.stacks.show()
        self.stacks.methodPicked(self.method.method)
        self.phase.show()
        self.region.show()
        self.reference.methodPicked(self.method.method["key"])
        simulation = self.input.simulation(self.method.method["input_kind"], self.runSection.seed())
        usesStacks = self.fit.usesStacks(self.method.method)
        described = self.stacks.description() if usesStacks else self.input.description
        device = "" if self.runOn.scheduler() is not None else self.runSection.device()
        self.method.showEstimate(costEstimate.simulated(described, simulation), device)
        self.runSection.setReady(self.whyNot(), self.run is not None, self.queue.waiting)
        self.save()
        self._startIfWanted()

    def reconstruct(self) -> None:
        """What the button does: start, or wait until what runs has ended."""
        self._request({"preset": self.method.preset()}, self.method.values())

    def quickLook(self) -> None:
        """A few frames from the middle at the preset fast."""
        count = int((self.input.description or {}).get("frames") or 0)
        first = max(0, (count - QUICK_LOOK_FRAMES) // 2)
        frames = (first, first + QUICK_LOOK_FRAMES) if count > QUICK_LOOK_FRAMES else None
        self._request({"preset": "fast", "frames": frames}, {}, _QUICK_LOOK)

    def _request(self, options: dict[str, Any], values: dict[str, Any], ending: str = "") -> None:
        if self.whyNot() is not None:
            return
        self.save()
        method, seed = self.method.method, self.runSection.seed()
        usesStacks = self.fit.usesStacks(method)
        self._try(
            lambda: self.queue.add(
                f"{self.fit.inputName(method)} {method['key']}{ending}",
                self.stacks.source() if usesStacks else self.input.source(),
                method["key"],
                {**values, **self.stacks.parameters()} if usesStacks else values,
                device=self.runSection.device(),
                seed=seed,
                read={} if usesStacks else self.input.readOptions(),
                simulate=self.input.simulation(method["input_kind"], seed),
                reference=self.reference.source(),
                cardiac=self.reference.cardiac(),
                runOn=self.runOn.scheduler(),
                **options,
            )
        )

    def _try(self, action: Callable[[], None]) -> None:
        """Do what needs the packages, and say what went wrong."""
        try:
            install.ensure(self._requirementsPath)
            if self.runOn.scheduler() is not None:
                install.ensure(Path(self._requirementsPath).with_name(_CLUSTER_REQUIREMENTS))
                self.runOn.remember()
            action()
        except (install.NotInstalled, ReconError, OSError) as error:
            self.runSection.setError(str(error))
        self.update()

    def registerStacks(self) -> None:
        """Register the ticked stacks in the background, then move them."""
        if self.stacks.problem() is not None:
            return
        values, failed = self.method.values(), self.runSection.setError
        problem = self.runOn.problem()
        if problem is not None:
            failed(problem)
            return
        elsewhere = self.runOn.scheduler()
        chosen = {"device": self.runSection.device(), "seed": self.runSection.seed(), "runOn": elsewhere}
        self._try(lambda: stackRegistrar.start(self.queue, self.stacks, values, failed, **chosen))

    def repeat(self, sequence: Any, start: bool) -> None:
        """Set every choice to what ``sequence`` was made with; with ``start``, reconstruct as soon as that can be."""
        try:
            source = self.logic.inputOf(sequence)
            self.save()
            repeat.intoSettings(sequence, source, SceneSettings(self.logic.getParameterNode()))
        except ReconError as error:
            self.runSection.setError(str(error))
            return
        self._startWhenReady = start
        self._frames = provenance.request(sequence)["frames"]
        self.restore()

    def trust(self, sequence: Any) -> None:
        """Show input, result and difference; the gridding of k-space is reconstructed first where it is missing."""
        if provenance.takesStacks(sequence):
            # No single input could be subtracted from it.
            self.stacks.compare(sequence)
            return
        try:
            baseline = trustView.baselineOf(sequence)
            if baseline is not None:
                trustView.show(sequence, baseline)
                self.runSection.setError(None)
            elif trustView.needsBaseline(sequence):
                install.ensure(self._requirementsPath)
                trustBaseline.start(self.queue, self.logic, sequence, self._baselineMade)
            else:
                raise InputError(
                    _("The images that {sequence} was made from are not in the scene any more.").format(
                        sequence=sequence.GetName()
                    )
                )
        except (install.NotInstalled, ReconError, OSError) as error:
            self.runSection.setError(str(error))
        self.update()

    def cancel(self) -> None:
        """What the Cancel button does."""
        self.queue.cancel()

    @property
    def run(self) -> Any:
        """The reconstruction that runs now, or None."""
        return self.queue.run

    def _sections(self) -> tuple[Any, ...]:
        """The parts of the panel whose choices the scene keeps, in the order in which they are shown again."""
        return (self.method, self.input, self.stacks, self.runSection, self.reference, self.export, self.profile)

    def save(self) -> None:
        """Keep all choices in the scene."""
        if self._restoring or slicer.mrmlScene.IsClosing() or slicer.mrmlScene.IsImporting():
            return
        settings = SceneSettings(self.logic.getParameterNode())
        for section in self._sections():
            section.save(settings)

    def restore(self) -> None:
        """Show the choices that the scene keeps."""
        settings = SceneSettings(self.logic.getParameterNode())
        self._restoring = True
        for section in self._sections():
            section.restore(settings)
        self._restoring = False
        self.results.refresh()
        self.update()

    def sceneCloses(self) -> None:
        """End what belongs to the scene."""
        self._startWhenReady = False
        self.input.stop()
        self.phase.stop()
        self.region.stop()
        self.export.stop()
        self.profile.stop()
        self.logic.stopAll()
        self.queue.stop()

    def cleanup(self) -> None:
        """The panel goes: end everything and observe nothing."""
        self._restoring = True
        self.sceneCloses()
        unfinishedRuns.forget()
        self.profile.cleanup()
        self.phase.cleanup()
        self.stacks.cleanup()
        self.removeObservers()

    def _suggest(self) -> None:
        self.method.setReasons({method["key"]: self.fit.whyNot(method) for method in self.method.methods})
        self._restoring = True
        self.method.suggest(self.input.description or self.stacks.description())
        self._restoring = False

    def _baselineMade(self, result: Any, identifier: str) -> None:
        """Show the trust view of the result that asked for this baseline, if the scene still has it."""
        still = slicer.mrmlScene.GetNodeByID(identifier)
        self.results.refresh(select=still if still is not None else result.sequence)
        if still is not None:
            self.trust(still)

    def _finished(self, result: Any) -> None:
        self.results.refresh(select=result.sequence)
        self.results.show(result.sequence)
        self.profile.setSequence(result.sequence)

    def _startIfWanted(self) -> None:
        """Start a repeat that had to wait until its file was looked into."""
        if not self._startWhenReady or self.input.busy:
            return
        self._startWhenReady = False
        # A quick look is repeated as one.
        options = {"preset": self.method.preset(), "frames": self._frames}
        self._request(options, self.method.values(), _QUICK_LOOK if self._frames else "")

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
