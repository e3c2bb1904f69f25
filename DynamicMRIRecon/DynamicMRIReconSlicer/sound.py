"""The sound that belongs to the images: a recording with its offset, and the labels of what was said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.audio import (
    LabelMeasure,
    Point,
    Recording,
    TextGrid,
    measure_labels,
    read_textgrid,
    read_wav,
    write_labels_csv,
    write_textgrid,
)
from DynamicMRIReconLib.profiles import MMode
from DynamicMRIReconSlicer import soundImages
from DynamicMRIReconSlicer.profileMarks import NAMES
from DynamicMRIReconSlicer.translation import tr as _


@dataclass(frozen=True)
class Sound:
    """A recording, placed on the time axis of the images, and its labels in the time of the recording."""

    path: Path
    recording: Recording
    grid: TextGrid | None = None

    @property
    def summary(self) -> str:
        """What it is, in a sentence."""
        recording = self.recording
        text = _("{name}: {duration_s:.2f} s at {rate_hz:g} Hz, beginning at {start_s:.3f} s of the images.").format(
            name=recording.name, duration_s=recording.duration_s, rate_hz=recording.rate_hz, start_s=recording.start_s
        )
        if self.grid is not None:
            tiers = {**self.grid.intervals, **self.grid.points}
            text += _(" Labels: {tiers}.").format(
                tiers=", ".join((f"{name} ({len(one)})" for name, one in tiers.items())) or "none"
            )
        return text


def read(path: str | Path, offsetMs: float, labels: str | Path | None) -> Sound:
    """Read a wav file that begins ``offsetMs`` after the time 0 of the images, and its labels if there are any.

    Raises
    ------
    InputError, ResourceError
        One of the files cannot be used.
    """
    path = Path(path).expanduser()
    grid = None if labels is None else read_textgrid(Path(labels).expanduser())
    return Sound(path, read_wav(path).starting_at(offsetMs / 1000.0), grid)


def show(volume: Any, mmode: MMode, sound: Sound | None) -> None:
    """Make the images of the sound of an M-mode volume, bring them up to date, or take them away."""
    if sound is None or len(mmode.times_s) < 2:
        soundImages.remove(volume)
        return
    soundImages.update(volume, mmode, sound.recording)
    soundImages.updateLabels(volume, mmode, sound.grid, sound.recording.start_s)


def writeMarks(mmode: MMode, marks: str, sound: Sound | None, path: Path) -> Path | None:
    """Write the turning points as a TextGrid in the time of the sound, else of the images; None if there are none.

    Raises
    ------
    InputError
        It cannot be written.
    """
    furthest, nearest = names = NAMES.get(marks, NAMES["turns"])
    if furthest == nearest:
        names = ("furthest", "nearest")
    start, end, offset = float(mmode.times_s[0]), float(mmode.times_s[-1]), 0.0
    if sound is not None:
        start, end, offset = 0.0, sound.recording.duration_s, sound.recording.start_s
    points = [
        Point(turn.time_s - offset, names[turn.kind == "nearest"])
        for turn in mmode.turning_points
        if start <= turn.time_s - offset <= end
    ]
    return write_textgrid(TextGrid(start, end, points={"turning points": points}), path) if points else None


def writeLabels(mmode: MMode, sound: Sound | None, path: Path) -> Path | None:
    """Write what the edge does in each labelled interval; None where there are no labels.

    Raises
    ------
    InputError
        It cannot be written.
    """
    if sound is None or sound.grid is None or not sound.grid.intervals:
        return None
    measures: list[LabelMeasure] = []
    for tier, intervals in sound.grid.intervals.items():
        measures += measure_labels(mmode, tier, intervals, sound.recording.start_s)
    return write_labels_csv(measures, path)
