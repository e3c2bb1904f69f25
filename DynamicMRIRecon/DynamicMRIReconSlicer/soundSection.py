"""Part Sound of the section Line profile: a wav file beside the images, its offset, labels, playing in step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import ReconError
from DynamicMRIReconSlicer import sequenceReader, sequences, soundPlayer
from DynamicMRIReconSlicer.sceneSettings import SceneSettings
from DynamicMRIReconSlicer.soundPlayer import SoundPlayer
from DynamicMRIReconSlicer.translation import tr as _

_NOTHING = _("Pick a wav file that was recorded with the images.")


class SoundSection:
    """Knows the sound that belongs to the images.

    Parameters
    ----------
    ui
        The panel's widgets by name.
    logic
        Has ``setSound`` and ``sound``.
    changed
        Called when another sound, offset or labels were picked.
    sequence
        Gives the sequence that is played with it.
    """

    def __init__(self, ui: Any, logic: Any, changed: Callable[[], None], sequence: Callable[[], Any]) -> None:
        self.ui = ui
        self._logic = logic
        self._changed = changed
        self._sequence = sequence
        self._quiet = False
        self.player = SoundPlayer(self.update)
        ui.soundPathEdit.currentPathChanged.connect(self._edited)
        ui.labelsPathEdit.currentPathChanged.connect(self._edited)
        ui.soundOffsetSpin.valueChanged.connect(self._edited)
        ui.playSoundButton.clicked.connect(self._playClicked)
        ui.soundLabel.setText(_NOTHING)
        self.update()

    def update(self, *_args: Any) -> None:
        """Enable the button, or say why it is not."""
        reason = None
        if not soundPlayer.available():
            reason = soundPlayer.MISSING
        elif self._logic.sound is None:
            reason = _NOTHING
        elif self._sequence() is None:
            reason = _("Pick the sequence that it was recorded with.")
        playing = self.player.playing
        self.ui.playSoundButton.setEnabled(playing or reason is None)
        text = _("Play with sound") if soundPlayer.available() else _("Play with sound (needs Qt Multimedia)")
        self.ui.playSoundButton.setText(_("Stop") if playing else text)
        self.ui.playSoundButton.setToolTip(
            reason or _("Play the frames in step with what is heard, from the shown one")
        )

    def save(self, settings: SceneSettings) -> None:
        """Keep the choices in the scene; of files their paths."""
        settings.set("SoundPath", self.ui.soundPathEdit.property("currentPath"))
        settings.set("SoundOffset", float(self.ui.soundOffsetSpin.property("value")))
        settings.set("LabelsPath", self.ui.labelsPathEdit.property("currentPath"))

    def restore(self, settings: SceneSettings) -> None:
        """Show what the scene keeps."""
        self._quiet = True
        self.ui.soundPathEdit.setCurrentPath(settings.get("SoundPath", ""))
        self.ui.soundOffsetSpin.setValue(float(settings.get("SoundOffset", 0.0)))
        self.ui.labelsPathEdit.setCurrentPath(settings.get("LabelsPath", ""))
        self._quiet = False
        self._read()

    def stop(self) -> None:
        """Be silent."""
        self.player.stop()

    def _read(self) -> None:
        """Read what was picked; what is wrong with it is said in the panel."""
        self.player.stop()
        sound = self.ui.soundPathEdit.property("currentPath").strip()
        labels = self.ui.labelsPathEdit.property("currentPath").strip()
        offset = float(self.ui.soundOffsetSpin.property("value"))
        try:
            self._logic.setSound(sound or None, offset, labels or None)
            text = _NOTHING if self._logic.sound is None else self._logic.sound.summary
            if labels and not sound:
                text = _("Labels go with a wav file: pick that too.")
        except ReconError as error:
            text = str(error)
        self.ui.soundLabel.setText(text)
        self.update()

    def _edited(self, *_: Any) -> None:
        if not self._quiet:
            self._read()
            self._changed()

    def _playClicked(self, *_: Any) -> None:
        if self.player.playing:
            self.player.stop()
            return
        sequence, sound = self._sequence(), self._logic.sound
        browser = sequences.browserOf(sequence) if sequence is not None else None
        if browser is None or sound is None:
            return
        times, _ = sequenceReader.times(sequence)
        recording = sound.recording
        self.player.play(Path(sound.path), recording.duration_s, recording.start_s, browser, times)
        self.update()
