"""Section Input: a node or a file, what is in it, how to read it, and the teaching mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import describeInput
from DynamicMRIReconSlicer.fileInfo import FileInfo
from DynamicMRIReconSlicer.fileReader import PATH_ATTRIBUTE, filePath
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.translation import tr as _

#: formats that may leave open which axis is which, and those with counters to number frames by
AXES_SUFFIXES = (".npy", ".npz", ".mat", ".cfl")
COUNTER_SUFFIXES = (".h5",)
#: formats that know no size of a pixel
VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".m4v", ".gif")
FRAME_COUNTERS = ("automatic", "repetition", "phase", "set", "contrast", "average", "segment")
TRAJECTORIES = ("radial", "spiral", "cartesian")
TRAJECTORY_TEXTS = {
    "radial": _("Radial, golden angle"),
    "spiral": _("Spiral"),
    "cartesian": _("Cartesian, random lines"),
}
NOT_INSTALLED = _("Its contents are shown once the packages are installed, which happens when you press Reconstruct.")


class InputSection:
    """Knows what is to be reconstructed.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    changed
        Called whenever the input or its description changes.
    """

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        self.ui = ui
        self._changed = changed
        self._quiet = False
        self._info = FileInfo(self._fileDescribed)
        self.description: dict[str, Any] | None = None
        self.error: str | None = None
        ui.inputSelector.addAttribute("vtkMRMLTextNode", PATH_ATTRIBUTE)
        for counter in FRAME_COUNTERS:
            ui.framesFromCombo.addItem(counter)
        for trajectory in TRAJECTORIES:
            ui.trajectoryCombo.addItem(TRAJECTORY_TEXTS[trajectory], trajectory)
        ui.inputSelector.currentNodeChanged.connect(self._nodePicked)
        ui.inputPathEdit.currentPathChanged.connect(self._pathPicked)
        ui.axesEdit.editingFinished.connect(self._readOptionChanged)
        ui.framesFromCombo.currentIndexChanged.connect(self._readOptionChanged)
        ui.shotsPerFrameSpin.valueChanged.connect(self._readOptionChanged)
        ui.pixelSizeSpin.valueChanged.connect(self._readOptionChanged)
        ui.simulateGroup.toggled.connect(self._edited)
        for widget in (ui.shotsSpin, ui.accelerationSpin, ui.coilsSpin, ui.noiseSpin):
            widget.valueChanged.connect(self._edited)
        ui.trajectoryCombo.currentIndexChanged.connect(self._edited)
        self.refresh()

    def source(self) -> Any:
        """The picked node, else the path, else None."""
        node = self.ui.inputSelector.currentNode()
        if node is not None:
            return node
        text = self.ui.inputPathEdit.property("currentPath").strip()
        return Path(text).expanduser() if text else None

    def path(self) -> Path | None:
        """The file behind the source, or None."""
        source = self.source()
        return source if source is None or isinstance(source, Path) else filePath(source)

    def kind(self) -> str | None:
        """``kspace``, ``series``, ``stacks``; None while unknown."""
        return None if self.description is None else self.description.get("kind")

    def readOptions(self) -> dict[str, Any]:
        """What the user says about the file."""
        path, options = self.path(), {}
        suffix = path.suffix.lower() if path is not None else ""
        axes = self.ui.axesEdit.property("text").strip()
        counter = self.ui.framesFromCombo.property("currentIndex")
        if axes and suffix in AXES_SUFFIXES:
            options["axes"] = axes
        if counter > 0 and suffix in COUNTER_SUFFIXES:
            options["frames_from"] = FRAME_COUNTERS[counter]
        shots = int(self.ui.shotsPerFrameSpin.property("value"))
        if shots > 0 and path is not None:
            options["shots_per_frame"] = shots
        size = float(self.ui.pixelSizeSpin.property("value"))
        if size > 0 and suffix in VIDEO_SUFFIXES:
            options["pixel_size_mm"] = size
        return options

    def simulation(self, needed: str, seed: int) -> dict[str, Any] | None:
        """Parameters of the simulated acquisition, or None when nothing is simulated."""
        if not self.canSimulate(needed) or not self.ui.simulateGroup.property("checked"):
            return None
        values = self._simulationValues()
        # Lines are undersampled by a factor, spokes and spiral arms are counted.
        del values["shots" if values["trajectory"] == "cartesian" else "acceleration"]
        return {**values, "seed": seed}

    def canSimulate(self, needed: str) -> bool:
        """True when images are given and the method needs k-space."""
        return self.kind() == "series" and needed == "kspace"

    def showSimulation(self, needed: str) -> None:
        """Show the teaching group only where it makes sense."""
        self.ui.simulateGroup.setVisible(self.canSimulate(needed))
        lines = self._simulationValues()["trajectory"] == "cartesian"
        for widget, shown in (
            (self.ui.shotsLabel, not lines),
            (self.ui.shotsSpin, not lines),
            (self.ui.accelerationLabel, lines),
            (self.ui.accelerationSpin, lines),
        ):
            widget.setVisible(shown)

    def problem(self) -> str | None:
        """Why there is nothing to reconstruct yet."""
        if self.source() is None:
            return _("Pick a sequence or a k-space file as input.")
        path = self.path()
        if path is not None and not path.exists():
            return _("The file {path} does not exist.").format(path=path)
        return (
            _("Looking into {name} ...").format(name=path.name) if path is not None and self._info.busy else self.error
        )

    def refresh(self) -> None:
        """Look at the input anew."""
        self._info.stop()
        self.description = self.error = None
        path = self.path()
        suffix = path.suffix.lower() if path is not None else ""
        self.ui.framesFromWidget.setVisible(suffix in COUNTER_SUFFIXES)
        self.ui.pixelSizeWidget.setVisible(suffix in VIDEO_SUFFIXES)
        node = self.ui.inputSelector.currentNode()
        if path is not None:
            self._describeFile(path)
        elif node is not None:
            self._describeNode(node)
        self._show()
        self._changed()

    @property
    def busy(self) -> bool:
        """True while a file is being looked into."""
        return self._info.busy

    def stop(self) -> None:
        """Give up looking into a file."""
        self._info.stop()

    def save(self, settings: SceneSettings) -> None:
        """Keep what the user chose in the scene."""
        settings.setNode("Input", self.ui.inputSelector.currentNode())
        settings.set("InputPath", self.ui.inputPathEdit.property("currentPath"))
        settings.set("Axes", self.ui.axesEdit.property("text"))
        settings.set("FramesFrom", FRAME_COUNTERS[self.ui.framesFromCombo.property("currentIndex")])
        settings.set("PixelSize", float(self.ui.pixelSizeSpin.property("value")))
        settings.set("ShotsPerFrame", int(self.ui.shotsPerFrameSpin.property("value")))
        simulation = {"on": bool(self.ui.simulateGroup.property("checked")), **self._simulationValues()}
        settings.set("Simulation", simulation)

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        self._quiet = True
        self.ui.inputSelector.setCurrentNode(settings.getNode("Input"))
        self.ui.inputPathEdit.setCurrentPath(settings.get("InputPath", ""))
        self.ui.axesEdit.setText(settings.get("Axes", ""))
        self.ui.framesFromCombo.setCurrentIndex(_index(FRAME_COUNTERS, settings.get("FramesFrom")))
        self.ui.shotsPerFrameSpin.setValue(int(settings.get("ShotsPerFrame", 0)))
        self.ui.pixelSizeSpin.setValue(float(settings.get("PixelSize", 0.0)))
        simulation = settings.get("Simulation", {})
        self.ui.simulateGroup.setChecked(bool(simulation.get("on", False)))
        self.ui.trajectoryCombo.setCurrentIndex(_index(TRAJECTORIES, simulation.get("trajectory")))
        self.ui.shotsSpin.setValue(int(simulation.get("shots", 13)))
        self.ui.accelerationSpin.setValue(float(simulation.get("acceleration", 4.0)))
        self.ui.coilsSpin.setValue(int(simulation.get("coils", 8)))
        self.ui.noiseSpin.setValue(float(simulation.get("noise", 0.01)))
        self._quiet = False
        self.refresh()

    def _simulationValues(self) -> dict[str, Any]:
        return {
            "trajectory": TRAJECTORIES[max(0, self.ui.trajectoryCombo.property("currentIndex"))],
            "shots": int(self.ui.shotsSpin.property("value")),
            "acceleration": float(self.ui.accelerationSpin.property("value")),
            "coils": int(self.ui.coilsSpin.property("value")),
            "noise": float(self.ui.noiseSpin.property("value")),
        }

    def _describeNode(self, node: Any) -> None:
        try:
            self.description = describeInput.ofNode(node)
        except InputError as error:
            self.error = str(error)

    def _describeFile(self, path: Path) -> None:
        if not path.exists():
            self.error = _("The file {path} does not exist.").format(path=path)
        elif describeInput.canReadFiles():
            self._info.ask(path, self.readOptions())

    def _fileDescribed(self, description: dict[str, Any] | None, error: str | None) -> None:
        self.description, self.error = description, error
        node = self.ui.inputSelector.currentNode()
        if description is not None and filePath(node) is not None:
            node.SetText(
                "\n".join([_("k-space file {path}").format(path=filePath(node)), *describeInput.lines(description)])
            )
        self._show()
        self._changed()

    def _needsAxes(self) -> bool:
        """True when the file leaves open which axis is which, or the user has already said it."""
        path = self.path()
        if path is None or path.suffix.lower() not in AXES_SUFFIXES:
            return False
        return bool(self.ui.axesEdit.property("text").strip()) or "axes" in (self.error or "")

    def _hasShots(self) -> bool:
        """True for a file of radial, spiral or other shots, and where their number was set."""
        axes = [] if self.description is None else self.description.get("axes", [])
        shots = any(axis["name"] == "shots" for axis in axes)
        return self.path() is not None and (shots or self.ui.shotsPerFrameSpin.property("value") > 0)

    def _show(self) -> None:
        self.ui.axesWidget.setVisible(self._needsAxes())
        if not self._info.busy:
            self.ui.shotsPerFrameWidget.setVisible(self._hasShots())
        if self.error:
            text = self.error
        elif self.description is not None:
            text = "\n".join(describeInput.lines(self.description))
        elif self._info.busy:
            text = str(self.problem())
        elif self.source() is None:
            text = _("Drop in a k-space file, or pick a cine or speech sequence.")
        else:
            text = NOT_INSTALLED
        self.ui.infoLabel.setText(text)

    def _nodePicked(self, *_: Any) -> None:
        if self._quiet or slicer.mrmlScene.IsClosing():
            return
        if self.ui.inputSelector.currentNode() is not None:
            # One input only: the choice made last counts.
            self._setQuietly(self.ui.inputPathEdit.setCurrentPath, "")
        self._setQuietly(self.ui.shotsPerFrameSpin.setValue, 0)
        self.refresh()

    def _pathPicked(self, *_: Any) -> None:
        if self._quiet:
            return
        if self.ui.inputPathEdit.property("currentPath").strip():
            self._setQuietly(self.ui.inputSelector.setCurrentNode, None)
        # The number of shots belongs to one file.
        self._setQuietly(self.ui.shotsPerFrameSpin.setValue, 0)
        self.refresh()

    def _setQuietly(self, setter: Callable[[Any], None], value: Any) -> None:
        self._quiet = True
        try:
            setter(value)
        finally:
            self._quiet = False

    def _readOptionChanged(self, *_: Any) -> None:
        if not self._quiet:
            self.refresh()

    def _edited(self, *_: Any) -> None:
        if not self._quiet:
            self._changed()


def _index(names: tuple[str, ...], name: Any) -> int:
    return names.index(name) if name in names else 0
