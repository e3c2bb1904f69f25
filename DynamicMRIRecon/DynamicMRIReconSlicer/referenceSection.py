"""Part Reference of the section Run: images that results are compared with, a sequence of the scene or a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.translation import tr as _

#: methods whose results are also compared in the heart alone
_CARDIAC = ("cardiac-vsr", "bicubic")


class ReferenceSection:
    """Knows what to compare results with.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    changed
        Called when another reference is picked.
    """

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        self.ui = ui
        self._changed = changed
        self._quiet = False
        self._isCardiac = False
        ui.referenceSelector.currentNodeChanged.connect(self._nodePicked)
        ui.referencePathEdit.currentPathChanged.connect(self._pathPicked)

    def source(self) -> Any:
        """The picked sequence, else the path, else None."""
        node = self.ui.referenceSelector.currentNode()
        if node is not None:
            return node
        text = self.ui.referencePathEdit.property("currentPath").strip()
        return Path(text).expanduser() if text else None

    def problem(self) -> str | None:
        """Why nothing can be compared with what was picked."""
        source = self.source()
        if isinstance(source, Path) and not source.exists():
            return _("The reference {source} does not exist.").format(source=source)
        return None

    def methodPicked(self, key: str) -> None:
        """Offer the heart's region where the method ``key`` has its figures."""
        self._isCardiac = key in _CARDIAC
        for widget in (self.ui.heartRegionLabel, self.ui.heartRegionSelector):
            widget.setVisible(self._isCardiac)

    def cardiac(self) -> Any:
        """Where the cardiac figures are told: an ROI, ``auto``, or None where there are no such figures."""
        if not self._isCardiac or self.source() is None:
            return None
        return self.ui.heartRegionSelector.currentNode() or "auto"

    def save(self, settings: SceneSettings) -> None:
        """Keep the choice in the scene."""
        settings.setNode("Reference", self.ui.referenceSelector.currentNode())
        settings.setNode("HeartRegion", self.ui.heartRegionSelector.currentNode())
        settings.set("ReferencePath", self.ui.referencePathEdit.property("currentPath"))

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        self._quiet = True
        self.ui.referenceSelector.setCurrentNode(settings.getNode("Reference"))
        self.ui.heartRegionSelector.setCurrentNode(settings.getNode("HeartRegion"))
        self.ui.referencePathEdit.setCurrentPath(settings.get("ReferencePath", ""))
        self._quiet = False
        if self.source() is not None:
            self.ui.referenceCollapsibleButton.setProperty("collapsed", False)

    def _nodePicked(self, *_: Any) -> None:
        if not self._quiet:
            if self.ui.referenceSelector.currentNode() is not None:
                self._quietly(self.ui.referencePathEdit.setCurrentPath, "")
            self._changed()

    def _pathPicked(self, *_: Any) -> None:
        if not self._quiet:
            if self.ui.referencePathEdit.property("currentPath").strip():
                self._quietly(self.ui.referenceSelector.setCurrentNode, None)
            self._changed()

    def _quietly(self, setter: Callable[[Any], None], value: Any) -> None:
        """One reference only: the choice made last counts."""
        self._quiet = True
        try:
            setter(value)
        finally:
            self._quiet = False
