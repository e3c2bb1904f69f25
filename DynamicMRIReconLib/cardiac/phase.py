"""The cardiac phase of every frame of a series, from whatever is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.cardiac.beats import find_beats
from DynamicMRIReconLib.cardiac.events import blood_curve, extremes
from DynamicMRIReconLib.cardiac.info_file import read_info
from DynamicMRIReconLib.cardiac.phase_code import phase_code
from DynamicMRIReconLib.cardiac.region import heart_box
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.evaluation.regions import Box

#: the first frame is end diastole if it comes no later after the R wave than this part of a beat
_SOON = 0.1
#: how long systole lasts where the images do not tell
_SYSTOLE = 0.35


@dataclass(frozen=True)
class CardiacPhase:
    """What was found.

    Attributes
    ----------
    code
        (frames,) +1 at end diastole, -1 at end systole.
    ed_frame, es_frame
        Of the first beat, counted from 0; fractions where several beats were averaged.
    frames_per_beat
        May be a fraction; ``beats`` times it is the number of frames.
    is_cyclic
        The last frame leads back to the first.
    ed_from, es_from
        ``user``, ``info file``, ``trigger times`` (ED only) or ``images``; ``assumed`` where the images do not tell ES;
        ``none`` if nothing moves.
    curve
        (frames,) pixels of the ventricles' blood, of those that are bright at times only; empty if nothing moves.
    box
        (x0, y0, x1, y1) around the heart; None if nothing moves.
    """

    code: NDArray[np.float64]
    ed_frame: float
    es_frame: float
    frames_per_beat: float
    is_cyclic: bool
    ed_from: str
    es_from: str
    curve: NDArray[np.float64]
    box: Box | None

    @property
    def beats(self) -> float:
        """Heartbeats in the series."""
        return len(self.code) / self.frames_per_beat

    def notes(self) -> dict[str, Any]:
        """All of it as JSON-able metadata."""
        return {
            "ed_frame": round(self.ed_frame, 3),
            "es_frame": round(self.es_frame, 3),
            "frames_per_beat": round(self.frames_per_beat, 3),
            "beats": round(self.beats, 3),
            "cyclic": self.is_cyclic,
            "ed_from": self.ed_from,
            "es_from": self.es_from,
            "code": [round(float(one), 4) for one in self.code],
            "blood_pixels": [int(one) for one in self.curve],
            "heart_box": None if self.box is None else list(self.box),
        }


def find_phase(
    series: ImageSeries,
    *,
    ed_frame: int | None = None,
    es_frame: int | None = None,
    beats: float | None = None,
    info_file: Path | None = None,
) -> CardiacPhase:
    """The phase of every frame: what is given counts, then the file, then trigger times (ED), then the images.

    Parameters
    ----------
    series
        Frames of one or more heartbeats at even intervals; complex ones by their magnitude.
    ed_frame, es_frame
        Counted from 0, both in one beat; None finds them.
    beats
        Heartbeats in the series; None finds their length.
    info_file
        See ``info_file.read_info``.

    Raises
    ------
    InputError
        If what is given is contradictory or lies outside of the series, or the file does not fit.
    """
    frames = series.frames
    ed_from = es_from = "user"
    if info_file is not None:
        in_file = read_info(info_file, frames)
        ed_from, es_from = ("user" if one is not None else "info file" for one in (ed_frame, es_frame))
        ed_frame, es_frame = (
            there if given is None else given for given, there in zip((ed_frame, es_frame), in_file, strict=True)
        )
    for name, value in (("ed_frame", ed_frame), ("es_frame", es_frame)):
        if value is not None and not 0 <= value < frames:
            raise InputError(f"{name} = {value} lies outside of the series: its frames are 0 to {frames - 1}.")
    if beats is not None and not 0 < beats <= frames / 2:
        raise InputError(f"{frames} frames cannot hold {beats:g} beats: a beat needs 2 frames or more.")
    array = series.magnitude().array
    found = find_beats(array)
    beat = found.frames_per_beat if beats is None else frames / beats
    if not found.moves or frames < 3:
        return CardiacPhase(np.ones(frames), 0.0, _SYSTOLE * beat, beat, False, "none", "none", np.zeros(0), None)
    box = heart_box(array, beat)
    curve = blood_curve(array, box)
    diastole, systole = extremes(curve, beat, cyclic=found.is_cyclic)
    if ed_frame is not None:
        diastole = float(ed_frame)
    elif _begins_at_trigger(series, beat):
        diastole, ed_from = 0.0, "trigger times"
    else:
        ed_from = "images"
    if es_frame is not None:
        systole = float(es_frame)
    else:
        es_from = "images"
    if abs((systole - diastole + 0.5) % beat - 0.5) < 0.5 and es_from == "images":
        systole, es_from = (diastole + _SYSTOLE * beat) % beat, "assumed"
    code = phase_code(frames, diastole, systole, beat)
    return CardiacPhase(code, diastole, systole, beat, found.is_cyclic, ed_from, es_from, curve, box)


def _begins_at_trigger(series: ImageSeries, frames_per_beat: float) -> bool:
    """Frame 0 of one triggered beat comes soon after the R wave."""
    if series.metadata.get("times_from") != "TriggerTime" or frames_per_beat != series.frames or series.frames < 2:
        return False
    beat_s = float(series.times_s[-1] - series.times_s[0]) * series.frames / (series.frames - 1)
    return bool(0 <= series.times_s[0] <= _SOON * beat_s)
