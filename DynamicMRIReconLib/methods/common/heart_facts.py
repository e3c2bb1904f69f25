"""What a series says about a heart in it: for people, and to suggest a method."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries

#: heartbeats last so long, in seconds: 30 to 200 a minute
SHORTEST_BEAT_S, LONGEST_BEAT_S = 0.3, 2.0
#: a beat in fewer frames could be anything that changes
FEWEST_FRAMES = 8
#: a longer series is no cine of the heart, and looking for a beat in it would take long
MOST_FRAMES = 300
#: of what changes in one beat, the part that its first harmonic holds at least; speech that comes back has less
_SMOOTH = 0.6
#: side of the images in which the beat is looked for
_SIDE = 128


def heart_facts(series: ImageSeries) -> dict[str, Any] | None:
    """What beats in ``series``, found in its middle slice, coarsely; None where nothing does.

    Returns
    -------
    JSON-able dict: ``beats`` in the series, ``beat_s``, and ``scales``: those of ``cardiac-vsr`` whose model that ships
    has seen such voxels, sizes and frame times, smallest first. A beat is something that comes back: there are two
    or more, or one whose last frame leads to the first and that is smooth in time.
    """
    from DynamicMRIReconLib.cardiac.beats import find_beats

    if not FEWEST_FRAMES <= series.frames <= MOST_FRAMES:
        return None
    _, slices, height, width = series.array.shape
    step = max(1, -(-max(height, width) // _SIDE))
    array = np.abs(series.array[:, slices // 2, None, ::step, ::step])
    found = find_beats(array)
    beat_s = found.frames_per_beat * float(np.median(np.diff(series.times_s)))
    if found.frames_per_beat < FEWEST_FRAMES or not SHORTEST_BEAT_S <= beat_s <= LONGEST_BEAT_S:
        return None
    beats = series.frames / found.frames_per_beat
    if beats < 2 and not (found.is_cyclic and _first_harmonic(array, found.frames_per_beat) >= _SMOOTH):
        return None
    return {"beats": round(beats, 2), "beat_s": round(beat_s, 3), "scales": seen_scales(series)}


def _first_harmonic(array: NDArray[Any], frames_per_beat: float) -> float:
    """The part of all change over time, where the series moves, that is at the beat's frequency."""
    from DynamicMRIReconLib.evaluation.regions import moving_region

    values = array[:, moving_region(array)].astype(np.float64)
    values -= values.mean(axis=0)
    turns = np.exp(-2j * np.pi * np.arange(len(values)) / frames_per_beat)
    turns -= turns.mean()
    amplitudes = turns.conj() @ values / np.vdot(turns, turns).real
    # a cosine has half of its energy at either sign of its frequency
    return float(2 * len(values) * np.square(np.abs(amplitudes)).sum() / np.square(values).sum())


def seen_scales(series: ImageSeries) -> list[int]:
    """The scales whose shipped ``cardiac-vsr`` model has nothing to warn of for this series."""
    from DynamicMRIReconLib.methods.cardiac_vsr import facts
    from DynamicMRIReconLib.models import card_warnings
    from DynamicMRIReconLib.models.card import read_card
    from DynamicMRIReconLib.models.places import card_of, shipped

    models = shipped()
    cards = {scale: models.get(f"cardiac-vsr-x{scale}") for scale in (2, 3, 4)}
    return [
        scale
        for scale, path in cards.items()
        if path is not None and not card_warnings(read_card(card_of(path)), facts(series, scale))
    ]
