"""Other frames from the same shots: all of them in the order of acquisition, split anew.

A real-time acquisition at the golden angle may be cut into frames of any length afterwards, because any few spokes in
a row cover k-space about evenly (S. Winkelmann et al., IEEE Trans. Med. Imaging 26 (2007) 68-76).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError

#: what ``metadata["frames_from"]`` says of frames made here
REGROUPED = "shots_per_frame"
NOT_CARTESIAN = "shots_per_frame goes with radial, spiral and other shots, not with Cartesian lines: leave it out."
NO_SHOT_TIMES = "The times of the shots are unknown: 1 s a frame is assumed."


def regroup_frames(kspace: KSpace, shots_per_frame: int, *, shot_times_s: ArrayLike | None = None) -> KSpace:
    """``kspace`` with ``shots_per_frame`` shots in each frame, a shot being one of every slice.

    Shots that do not fill a last frame are dropped, and ``metadata["warnings"]`` says so. Density weights are dropped,
    because they depend on which shots make a frame; they are then computed.

    Parameters
    ----------
    kspace
        Non-Cartesian, frames and their shots in the order of acquisition.
    shots_per_frame
        From 1 to the number of all shots.
    shot_times_s
        (frames, shots) seconds of every shot. When None, shots are spread evenly over their frames; those of a single
        frame by ``metadata["repetition_time_s"]`` around its time, and without that each new frame takes 1 s.

    Raises
    ------
    InputError
        The k-space is Cartesian, there are fewer shots than ``shots_per_frame``, or shot times do not fit.
    """
    if kspace.trajectory is None:
        raise InputError(NOT_CARTESIAN)
    layers = kspace.samples.shape[2] if kspace.samples.ndim == 5 else 1
    shots = kspace.samples.shape[-2]
    frames = whole_frames(kspace.frames * shots, shots_per_frame)
    metadata = {**kspace.metadata, "frames_from": REGROUPED}
    warnings = list(metadata.get("warnings", []))
    left_over = kspace.frames * shots - frames * shots_per_frame
    if left_over:
        warnings.append(left_over_warning(left_over, shots_per_frame))
    times = _shot_times(kspace, shots, layers, shot_times_s)
    if times is None:
        warnings.append(NO_SHOT_TIMES)
        frame_times = np.arange(frames, dtype=float)
    else:
        frame_times = times[: frames * shots_per_frame].reshape(frames, shots_per_frame).mean(axis=1)
    if warnings:
        metadata["warnings"] = list(dict.fromkeys(warnings))
    return replace(
        kspace,
        samples=_split(kspace.samples, -2, frames, shots_per_frame),
        trajectory=_split(kspace.trajectory, -3, frames, shots_per_frame),
        times_s=frame_times,
        density=None,
        metadata=metadata,
    )


def whole_frames(shots: int, shots_per_frame: int) -> int:
    """Number of whole frames.

    Raises
    ------
    InputError
        There is none, or ``shots_per_frame`` is no positive whole number.
    """
    if isinstance(shots_per_frame, bool) or int(shots_per_frame) != shots_per_frame or shots_per_frame < 1:
        raise InputError(f"shots_per_frame must be a whole number of at least 1, not {shots_per_frame!r}.")
    if shots_per_frame > shots:
        raise InputError(f"shots_per_frame is {shots_per_frame} but there are only {shots} shots: choose fewer.")
    return shots // int(shots_per_frame)


def left_over_warning(count: int, shots_per_frame: int) -> str:
    """The sentence about shots that do not fill a last frame."""
    return f"The last {count} shots do not fill a frame of {shots_per_frame} and were left out."


def spread_over_frames(
    frame_times_s: ArrayLike, counts: ArrayLike, duration_s: float | None = None
) -> NDArray[np.float64]:
    """Times (sum of ``counts``,) of shots that lie evenly in their frames, around ``frame_times_s`` (frames,).

    A frame lasts as long as the shorter of the gaps to its neighbours, so shots of two frames never overlap; a single
    frame lasts ``duration_s``.
    """
    times, numbers = np.asarray(frame_times_s, float), np.asarray(counts, int)
    gaps = np.diff(times)
    if len(times) > 1:
        widths = np.minimum(np.r_[gaps[0], gaps], np.r_[gaps, gaps[-1]])
    elif duration_s is not None:
        widths = np.array([duration_s])
    else:
        raise ValueError("A single frame needs its duration.")
    parts = [t + w * ((np.arange(n) + 0.5) / n - 0.5) for t, w, n in zip(times, widths, numbers, strict=True)]
    return np.concatenate(parts)


def _shot_times(kspace: KSpace, shots: int, layers: int, given: ArrayLike | None) -> NDArray[np.float64] | None:
    if given is not None:
        times = np.asarray(given, float)
        if times.shape != (kspace.frames, shots) or not np.isfinite(times).all():
            raise InputError(f"Shot times must be {(kspace.frames, shots)} finite seconds, not of shape {times.shape}.")
        return times.ravel()
    repetition_time_s = kspace.metadata.get("repetition_time_s")
    if kspace.frames > 1:
        return spread_over_frames(kspace.times_s, np.full(kspace.frames, shots))
    if not repetition_time_s:
        return None
    return spread_over_frames(kspace.times_s, [shots], float(repetition_time_s) * shots * layers)


def _split(array: NDArray[Any], axis: int, frames: int, shots: int) -> NDArray[Any]:
    """``array`` with frames first and shots on ``axis`` (counted from the end), joined and split anew."""
    shape = list(array.shape)
    own, shape[0], shape[axis] = shape[axis], frames, shots
    out = spool.empty(tuple(shape), array.dtype)
    for part in spool.blocks(out):
        first, end = part.start * shots, part.stop * shots
        joined = _joined(array[first // own : -(-end // own)], axis)
        place = joined.ndim + axis
        taken = np.take(joined, np.arange(first, end) - first // own * own, axis=place)
        split = taken.reshape(*joined.shape[:place], -1, shots, *joined.shape[place + 1 :])
        out[part] = np.moveaxis(split, place, 0)
    return out


def _joined(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """``array`` (frames, ...) without frames, all their shots after each other on ``axis``."""
    moved = np.moveaxis(array, 0, axis - 1)
    return moved.reshape(*moved.shape[: axis - 1], -1, *(moved.shape[axis + 1 :] if axis < -1 else ()))
