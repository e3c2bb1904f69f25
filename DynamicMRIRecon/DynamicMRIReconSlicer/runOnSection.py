"""Part Run on of the section Run: this computer, or a Dask scheduler."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer

from DynamicMRIReconSlicer.jobFolder import Scheduler
from DynamicMRIReconSlicer.translation import tr as _

#: where the user's address and folder are remembered: never in a scene, which may come from somebody else
_ADDRESS, _FOLDER = "DynamicMRIRecon/schedulerAddress", "DynamicMRIRecon/schedulerFolder"
_FORM = re.compile(r"(tcp|tls)://[^\s/:]+:\d+")


class RunOnSection:
    """Knows which computer shall work. It is this one until the user chooses otherwise, each time Slicer is started.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    changed
        Called when something else is chosen.
    """

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        self.ui = ui
        self._changed = changed
        ui.runOnCombo.addItem(_("This computer"))
        ui.runOnCombo.addItem(_("Dask scheduler"))
        settings = slicer.app.userSettings()
        ui.schedulerEdit.setText(str(settings.value(_ADDRESS, "") or ""))
        ui.sharedFolderEdit.setCurrentPath(str(settings.value(_FOLDER, "") or ""))
        ui.runOnCombo.currentIndexChanged.connect(self._picked)
        ui.schedulerEdit.textChanged.connect(self._picked)
        ui.sharedFolderEdit.currentPathChanged.connect(self._picked)
        self._show()

    def scheduler(self) -> Scheduler | None:
        """The scheduler that shall run the job; None: this computer."""
        if not self._elsewhere():
            return None
        return Scheduler(self._address(), Path(self._folder()).expanduser())

    def problem(self) -> str | None:
        """Why nothing can be run there."""
        if not self._elsewhere():
            return None
        if not _FORM.fullmatch(self._address()):
            return _("Write the scheduler's address under Run as tcp://host:8786 or tls://host:8786.")
        if not self._folder():
            return _("Choose the shared folder under Run: one that the scheduler's workers see under the same path.")
        if not Path(self._folder()).expanduser().is_dir():
            return _("The shared folder {folder} does not exist.").format(folder=self._folder())
        return None

    def remember(self) -> None:
        """Keep address and folder for this user, once they are used."""
        if self._elsewhere():
            settings = slicer.app.userSettings()
            settings.setValue(_ADDRESS, self._address())
            settings.setValue(_FOLDER, self._folder())

    def _elsewhere(self) -> bool:
        return int(self.ui.runOnCombo.property("currentIndex")) == 1

    def _address(self) -> str:
        return str(self.ui.schedulerEdit.property("text")).strip()

    def _folder(self) -> str:
        return str(self.ui.sharedFolderEdit.property("currentPath")).strip()

    def _picked(self, *_args: Any) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        for name in ("schedulerLabel", "schedulerEdit", "sharedFolderLabel", "sharedFolderEdit"):
            getattr(self.ui, name).setVisible(self._elsewhere())
