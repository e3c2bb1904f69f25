"""Part Export of the section Results: formats, folder, one button, progress, what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

from DynamicMRIReconLib.errors import ReconError
from DynamicMRIReconSlicer import exportFiles, install, tabOrder
from DynamicMRIReconSlicer.exportProcess import ExportProcess
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.translation import tr as _

_CHOSEN_AT_FIRST = (".seq.nrrd", ".dicom")
_VIDEO_REQUIREMENTS = "requirements-video.txt"


class ExportSection:
    """Exports the picked result.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    logic
        Writes line profiles.
    current
        Gives the sequence to export, or None.
    requirementsPath
        Packages to ask for when Export is pressed; those of movies lie beside it.
    """

    def __init__(self, ui: Any, logic: Any, current: Callable[[], Any], requirementsPath: str) -> None:
        self.ui = ui
        self._logic = logic
        self._current = current
        self._requirements = Path(requirementsPath)
        self._process: ExportProcess | None = None
        self._checks: dict[str, Any] = {}
        grid = qt.QGridLayout(ui.exportFormatsWidget)
        grid.setContentsMargins(0, 0, 0, 0)
        for index, (suffix, text) in enumerate(exportFiles.FORMATS):
            check = qt.QCheckBox(text)
            check.setChecked(suffix in _CHOSEN_AT_FIRST)
            check.toggled.connect(self.update)
            grid.addWidget(check, index // 2, index % 2)
            self._checks[suffix] = check
        tabOrder.insert(ui.useSettingsButton, list(self._checks.values()), ui.exportFolderEdit)
        ui.exportButton.clicked.connect(self._clicked)
        ui.exportFolderEdit.currentPathChanged.connect(self.update)
        ui.exportProgressBar.setVisible(False)
        self._say("")
        self.update()

    @property
    def running(self) -> bool:
        """True while files are being written."""
        return self._process is not None

    def suffixes(self) -> list[str]:
        """The chosen formats."""
        return [suffix for suffix, check in self._checks.items() if check.isChecked()]

    def setSuffixes(self, suffixes: list[str]) -> None:
        """Choose formats."""
        for suffix, check in self._checks.items():
            check.setChecked(suffix in suffixes)

    def update(self, *_args: Any) -> None:
        """Enable the button, or say what is missing."""
        reason = None
        if self.running:
            reason = _("Files are being written.")
        elif self._current() is None:
            reason = _("Pick a result in the list.")
        elif not self.suffixes():
            reason = _("Tick at least one format.")
        elif not self.ui.exportFolderEdit.property("currentPath").strip():
            reason = _("Pick the folder to export to.")
        self.ui.exportButton.setEnabled(reason is None)
        self.ui.exportButton.setToolTip(reason or _("Write the picked result; files that exist are never replaced"))
        dicom = any(suffix in exportFiles.DICOM for suffix in self.suffixes())
        self.ui.exportPatientLabel.setVisible(dicom)
        self.ui.exportPatientEdit.setVisible(dicom)

    def start(self) -> None:
        """What the button does."""
        sequence = self._current()
        if self.running or sequence is None:
            return
        try:
            self._start(sequence)
        except (install.NotInstalled, ReconError, OSError) as error:
            self._process = None
            self._say(_("Error: {error}").format(error=error))
        self.update()

    def stop(self) -> None:
        """The scene or the panel goes."""
        if self._process is not None:
            self._process.stopNow()
            self._process = None
            self._say("")
            self.ui.exportProgressBar.setVisible(False)

    def save(self, settings: SceneSettings) -> None:
        """Keep formats and folder in the scene."""
        settings.set("ExportFormats", self.suffixes())
        settings.set("ExportFolder", self.ui.exportFolderEdit.property("currentPath"))

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps; whose patient it is, is asked anew each time."""
        formats = settings.get("ExportFormats", list(_CHOSEN_AT_FIRST))
        self.setSuffixes(formats if isinstance(formats, list) else list(_CHOSEN_AT_FIRST))
        self.ui.exportFolderEdit.setCurrentPath(str(settings.get("ExportFolder", "")))
        self.ui.exportPatientEdit.setCurrentPath("")
        self.update()

    def _start(self, sequence: Any) -> None:
        folder = exportFiles.checkFolder(self.ui.exportFolderEdit.property("currentPath"))
        install.ensure(self._requirements)
        suffixes = self.suffixes()
        if exportFiles.VIDEO in suffixes:
            install.ensure(self._requirements.with_name(_VIDEO_REQUIREMENTS))
        paths = exportFiles.freeNames(folder, sequence.GetName(), suffixes)
        series = exportFiles.seriesOf(sequence)
        written: list[Path] = []
        if exportFiles.PROFILES in paths:
            written = self._logic.writeProfiles(sequence, paths.pop(exportFiles.PROFILES))
        outputs = list(paths.values())
        if not outputs:
            self._ended(None, written)
            return
        patient = self.ui.exportPatientEdit.property("currentPath").strip()
        self._process = ExportProcess(self._progressed, lambda error: self._ended(error, [*outputs, *written]))
        self._progressed(0.0, _("Writing {name}").format(name=outputs[0].name))
        self.ui.exportProgressBar.setVisible(True)
        self._process.start(series, outputs, patient)

    def _progressed(self, fraction: float, message: str) -> None:
        self.ui.exportProgressBar.setValue(round(100 * fraction))
        self._say(message)

    def _ended(self, error: str | None, paths: list[Path]) -> None:
        self._process = None
        self.ui.exportProgressBar.setVisible(False)
        if error is None:
            self._say(exportFiles.summary(paths))
        else:
            there = [path.name for path in paths if path.exists()]
            self._say(
                _("Error: {error}").format(error=error)
                + (_(" Already written: {names}.").format(names=", ".join(there)) if there else "")
            )
        self.update()

    def _say(self, text: str) -> None:
        self.ui.exportLabel.setText(text)
        self.ui.exportLabel.setVisible(bool(text))

    def _clicked(self, *_: Any) -> None:
        self.start()
