"""The phase of the heart as one number for each frame: +1 at end diastole, -1 at end systole, a cosine between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError


def phase_code(frames: int, ed_frame: float, es_frame: float, frames_per_beat: float) -> NDArray[np.float64]:
    """(frames,) in [-1, 1]: ``cos(pi u / e)`` for u <= e, else ``cos(pi (1 + (u - e) / (P - e)))``.

    u are the frames since the last end diastole, e those from end diastole to end systole, P those of a beat; all may
    be fractions, and frames may hold any number of beats. J. Y. Lin et al., MICCAI 2020,
    doi:10.1007/978-3-030-59719-1_7.

    Raises
    ------
    InputError
        If a beat has no length, or end diastole and end systole fall together.

    >>> phase_code(8, 0, 4, 8).round(2).tolist()
    [1.0, 0.71, 0.0, -0.71, -1.0, -0.71, -0.0, 0.71]
    """
    if not frames_per_beat > 0:
        raise InputError(f"A heartbeat must last longer than no frame, not {frames_per_beat}.")
    systole = float(np.mod(es_frame - ed_frame, frames_per_beat))
    # np.mod of a tiny negative number is the beat itself
    if min(systole, frames_per_beat - systole) < 1e-6:
        raise InputError("End diastole and end systole are the same frame: name two different ones.")
    since = np.mod(np.arange(frames) - ed_frame, frames_per_beat)
    part = np.where(since <= systole, since / systole, 1 + (since - systole) / (frames_per_beat - systole))
    return np.asarray(np.cos(np.pi * part))
