"""Frames of a chosen number of shots from an ISMRMRD file, with the time at which each shot was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from DynamicMRIReconLib.acquisition.regroup import REGROUPED, left_over_warning, whole_frames
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions
from DynamicMRIReconLib.io.ismrmrd_lines import Lines


def regroup_lines(file: Acquisitions, lines: Lines, shots_per_frame: int, *, volume: bool) -> Lines:
    """``lines`` in the order of the file, ``shots_per_frame`` to a frame, in each slice or partition by itself.

    Raises
    ------
    InputError
        A slice or partition has fewer shots than that.
    """
    heads = file.heads[lines.rows]
    layer = np.zeros(len(lines.rows), np.intp)
    # A 3-D trajectory covers the whole volume with every shot.
    if not volume or int(heads["trajectory_dimensions"][0]) == 2:
        counter = heads["idx"]["kspace_encode_step_2" if volume else "slice"]
        layer = np.unique(counter, return_inverse=True)[1].reshape(-1)
    position = np.empty(len(layer), np.intp)
    for number in range(int(layer.max()) + 1):
        (held,) = np.nonzero(layer == number)
        position[held] = np.arange(len(held))
    shots = int(np.bincount(layer).min())
    frames = whole_frames(shots, shots_per_frame)
    left_over = int(np.bincount(layer).max()) - frames * shots_per_frame
    if left_over:
        file.warn(left_over_warning(left_over, shots_per_frame))
    frame = position // shots_per_frame
    kept = frame < frames
    return replace(lines, rows=lines.rows[kept], frame=frame[kept], frames=frames, counter=REGROUPED, own=lines)
