"""Section Run: device, seed, the button and its reason, progress, time left, preview, log, errors."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import qt

from DynamicMRIReconSlicer import previewImage, texts
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.translation import tr as _

MOST_LOG_LINES = 2000
#: frames of a quick look
QUICK_LOOK_FRAMES = 8
QUICK_LOOK_TIP = _(
    "Reconstruct {count} frames from the middle with the preset Fast, to see within seconds whether input and method "
    "fit"
).format(count=QUICK_LOOK_FRAMES)


class RunSection:
    """Shows how a reconstruction goes.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self._devices: list[str] = []
        self._reasonShown = False
        self._lastMessage = ""
        self._fillDevices()
        self._warnings: list[str] = []
        self._showWarnings()
        self.setError(None)
        ui.logText.setProperty("maximumBlockCount", MOST_LOG_LINES)
        ui.previewLabel.setVisible(False)

    def device(self) -> str:
        """``auto``, ``cpu``, ``cuda`` or ``mps``."""
        return self._devices[max(0, self.ui.deviceCombo.property("currentIndex"))]

    def seed(self) -> int:
        """The seed of all random numbers."""
        return int(self.ui.seedSpin.property("value"))

    def setReady(self, reason: str | None, running: bool, waiting: list[str]) -> None:
        """Enable the buttons; the tool tip of a disabled Reconstruct says why. While one runs, others can be queued."""
        for button in (self.ui.reconstructButton, self.ui.quickLookButton):
            button.setEnabled(reason is None)
        self.ui.reconstructButton.setText(_("Add to queue") if running else _("Reconstruct"))
        tip = _("Reconstruct this when what runs now has ended") if running else _("Start the reconstruction")
        self.ui.reconstructButton.setToolTip(reason or tip)
        self.ui.quickLookButton.setToolTip(reason or QUICK_LOOK_TIP)
        self.ui.cancelButton.setEnabled(running)
        self.ui.queueLabel.setText(_("Waiting: {names}").format(names=", ".join(waiting)))
        self.ui.queueWidget.setVisible(bool(waiting))
        if running:
            return
        if reason is not None:
            self.ui.statusLabel.setText(reason)
        elif self._reasonShown:
            # How the last run ended stays until something else has to be said.
            self.ui.statusLabel.setText(_("Ready."))
        self._reasonShown = reason is not None

    def begin(self, name: str) -> None:
        """A run starts."""
        self.setError(None)
        self._reasonShown = False
        self._lastMessage = ""
        self._warnings = []
        self._showWarnings()
        self.ui.progressBar.setValue(0)
        self.ui.statusLabel.setText(_("Starting the worker ..."))
        self.ui.previewLabel.setVisible(False)
        self.log(f"--- {name}")

    def event(self, event: dict[str, Any]) -> None:
        """Show an event of the worker."""
        kind = event["event"]
        if kind == "progress":
            self._progress(event)
        elif kind == "started":
            self.ui.statusLabel.setText(_("Running on {device} ...").format(device=event.get("device", "cpu")))
            self.log(self.ui.statusLabel.property("text"))
        elif kind == "resumed":
            self.ui.statusLabel.setText(str(event.get("message", "")))
            self.log(self.ui.statusLabel.property("text"))
        elif kind == "preview":
            self._preview(event)
        elif kind == "warning":
            self._warnings.append(str(event.get("message", "")))
            self._showWarnings()
            self.log(_("Warning: {warnings}").format(warnings=self._warnings[-1]))

    def cancelling(self) -> None:
        """The user pressed Cancel."""
        self.ui.cancelButton.setEnabled(False)
        self.ui.statusLabel.setText(_("Cancelling ..."))

    def end(self, event: dict[str, Any]) -> None:
        """A run ended; its warnings stay where they are until the next one starts."""
        kind = event["event"]
        self._reasonShown = False
        self.ui.previewLabel.setVisible(False)
        self.ui.progressBar.setValue(1000 if kind == "done" else 0)
        if kind == "done":
            self.ui.statusLabel.setText(
                _("Done in {duration}.").format(duration=texts.duration(float(event.get("elapsed_s") or 0)))
            )
        elif kind == "cancelled":
            self.ui.statusLabel.setText(_("Cancelled."))
        else:
            self.ui.statusLabel.setText(_("Not done."))
            self.setError(str(event.get("message") or _("The reconstruction failed.")))
        self.log(self.ui.statusLabel.property("text"))

    def setError(self, message: str | None) -> None:
        """Show an error in the panel, or take it away."""
        self.ui.errorLabel.setText(_("Error: {message}").format(message=message) if message else "")
        self.ui.errorLabel.setVisible(bool(message))
        if message:
            self.log(_("Error: {message}").format(message=message))

    def _showWarnings(self) -> None:
        self.ui.runWarningsLabel.setText(
            "\n".join(_("Warning: {warning}").format(warning=warning) for warning in self._warnings)
        )
        self.ui.runWarningsLabel.setVisible(bool(self._warnings))

    def log(self, line: str) -> None:
        """Add a line to the log."""
        self.ui.logText.appendPlainText(line)

    def save(self, settings: SceneSettings) -> None:
        """Keep device and seed in the scene."""
        settings.set("Device", self.device())
        settings.set("Seed", self.seed())

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        device = settings.get("Device", "auto")
        self.ui.deviceCombo.setCurrentIndex(self._devices.index(device) if device in self._devices else 0)
        self.ui.seedSpin.setValue(int(settings.get("Seed", 0)))

    def _fillDevices(self) -> None:
        offered = [("auto", _("Automatic (GPU if there is one)")), ("cpu", _("CPU"))]
        if hasCuda():
            offered.append(("cuda", _("NVIDIA GPU (CUDA)")))
        if sys.platform == "darwin":
            offered.append(("mps", _("Apple GPU (MPS)")))
        for key, text in offered:
            self._devices.append(key)
            self.ui.deviceCombo.addItem(text, key)

    def _progress(self, event: dict[str, Any]) -> None:
        self.ui.progressBar.setValue(round(1000 * float(event.get("fraction") or 0)))
        message = str(event.get("message") or "Running")
        if message != self._lastMessage:
            self._lastMessage = message
            self.log(message)
        parts = [message]
        remaining = event.get("remaining_s")
        if remaining is not None:
            parts.append(_("about {duration} left").format(duration=texts.duration(float(remaining))))
        self.ui.statusLabel.setText(", ".join(parts))

    def _preview(self, event: dict[str, Any]) -> None:
        picture = previewImage.write(Path(str(event.get("path", ""))))
        if picture is None:
            return
        pixmap = qt.QPixmap(str(picture))
        if not pixmap.isNull():
            self.ui.previewLabel.setPixmap(pixmap.scaled(160, 160, qt.Qt.KeepAspectRatio))
            self.ui.previewLabel.setVisible(True)


def hasCuda() -> bool:
    """Whether this computer seems to have an NVIDIA GPU, without importing torch: the worker has the last word."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()
