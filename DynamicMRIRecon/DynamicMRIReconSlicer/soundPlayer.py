"""Plays a sequence and its sound in step: the sound is the clock, the frames follow it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import qt

from DynamicMRIReconSlicer.translation import tr as _

#: between two looks at the clock
TICK_MS = 15
MISSING = _("This Slicer was built without Qt Multimedia: sound can be shown but not played.")


def available() -> bool:
    """Whether this Slicer can play sound."""
    return hasattr(qt, "QMediaPlayer")


class QtSound:
    """A sound file behind Qt's media player, whose interface differs between Qt 5 and Qt 6."""

    def __init__(self, path: Path) -> None:
        self._player = qt.QMediaPlayer()
        url = qt.QUrl.fromLocalFile(str(path))
        if hasattr(qt, "QMediaContent"):
            self._player.setMedia(qt.QMediaContent(url))
        else:
            self._output = qt.QAudioOutput()
            self._player.setAudioOutput(self._output)
            self._player.setSource(url)

    def play(self, firstS: float) -> None:
        """Play from so many seconds after its beginning."""
        self._player.setPosition(round(1000 * firstS))
        self._player.play()

    def stop(self) -> None:
        """Be silent."""
        self._player.stop()

    def positionS(self) -> float:
        """Where it is."""
        return float(self._player.property("position")) / 1000.0


class SoundPlayer:
    """Shows the frame that belongs to what is heard.

    Parameters
    ----------
    ended
        Called when the last frame has been shown, or ``stop`` was called.
    makeSound, clock
        For tests: what plays a file, and seconds that pass.
    """

    def __init__(
        self,
        ended: Callable[[], None],
        makeSound: Callable[[Path], Any] = QtSound,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ended = ended
        self._makeSound = makeSound
        self._clock = clock
        self._sound: Any = None
        self._sounding = False
        self._browser: Any = None
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def playing(self) -> bool:
        """True from ``play`` to the last frame."""
        return self._browser is not None

    def play(self, path: Path, durationS: float, offsetS: float, browser: Any, timesS: np.ndarray) -> None:
        """Play from the frame that is shown now, from the beginning where that is the last one.

        Parameters
        ----------
        durationS, offsetS
            Of the sound; where its beginning is on the time axis of the frames.
        browser, timesS
            What shows the frames, and the times of its items in seconds.
        """
        self.stop()
        browser.SetPlaybackActive(False)
        item = browser.GetSelectedItemNumber()
        first = 0 if item >= len(timesS) - 1 else item
        self._browser, self._times = browser, np.asarray(timesS, float)
        self._offset, self._end = offsetS, offsetS + durationS
        self._began, self._from = self._clock(), float(self._times[first])
        self._sound, self._sounding = self._makeSound(path), False
        self._timer.start()
        self._tick()

    def stop(self) -> None:
        """End it."""
        if not self.playing:
            return
        self._timer.stop()
        self._sound.stop()
        self._browser = self._sound = None
        self._ended()

    def _now(self) -> float:
        """The time on the frames' axis: told by the sound while it sounds, else by the clock."""
        passed = self._from + self._clock() - self._began
        if self._sounding:
            heard = self._offset + float(self._sound.positionS())
            # A player that has not begun yet tells where it is, one that has ended tells its end or 0.
            if heard > self._from and passed < self._end:
                self._began, self._from = self._clock(), heard
                return heard
        return passed

    def _tick(self, *_: Any) -> None:
        if not self.playing:
            return
        now = self._now()
        if not self._sounding and self._offset <= now < self._end:
            self._sounding = True
            self._sound.play(max(0.0, now - self._offset))
        lasts = float(np.median(np.diff(self._times))) if len(self._times) > 1 else 0.0
        if now > self._times[-1] + lasts:
            self.stop()
            return
        item = int(np.searchsorted(self._times, now + 1e-9, side="right")) - 1
        if item != self._browser.GetSelectedItemNumber() and item >= 0:
            self._browser.SetSelectedItemNumber(item)
