"""What the speaking phantom says, as files: a wav file and a TextGrid with the segments beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from DynamicMRIReconLib.audio.textgrid import SUFFIX, Interval, TextGrid, write_textgrid
from DynamicMRIReconLib.io.atomic import atomic_files
from DynamicMRIReconLib.phantoms.articulation import Utterance
from DynamicMRIReconLib.phantoms.speech_sound import RATE_HZ, speech_sound


def write_sound(path: Path, utterance: Utterance, duration_s: float) -> list[Path]:
    """Write ``path`` (16 bits, from time 0 of the phantom) and ``NAME.TextGrid`` with the tier ``segments``.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    from scipy.io import wavfile

    sound = speech_sound(utterance, duration_s, utterance.seed % 2**32)
    said = [Interval(*one) for one in utterance.segments(0.0, duration_s) if one[2]]
    with atomic_files([path], [path.suffix]) as (temporary,):
        wavfile.write(temporary, RATE_HZ, np.rint(32767 * sound).astype(np.int16))
    grid = TextGrid(0.0, duration_s, {"segments": said})
    return [path, write_textgrid(grid, path.with_suffix(SUFFIX))]
