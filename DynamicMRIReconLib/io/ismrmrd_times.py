"""Frame times of an ISMRMRD file: exact ones of our writer, time stamps, repetition time, or one second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.acquisition.regroup import spread_over_frames
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions
from DynamicMRIReconLib.io.ismrmrd_lines import Lines

# Time stamps count 2.5 ms since midnight.
TICK_S = 2.5e-3
DAY_TICKS = round(24 * 3600 / TICK_S)
# Header user parameter in which the writer keeps the exact frame times, in seconds, separated by blanks.
EXACT_TIMES = "frame_times_s"


def frame_times_s(file: Acquisitions, lines: Lines, times_from: str | None) -> NDArray[np.float64]:
    """(frames,) seconds: the mean over the lines of each frame, since the first image line of the acquisition.

    With ``times_from="physiology"``: the mean time since the trigger. Exact times in the header (written by this
    library) hold where they agree with the stamps. Files without stamps: repetition time times lines a frame. Where
    the shots were given other frames than the file's: the mean over the stamps of their shots, or, where a frame of the
    file has one stamp for all, shots spread evenly over it.

    Raises
    ------
    InputError
        Physiology stamps were asked for and are absent, or do not increase from frame to frame, or the shots were given
        other frames.
    """
    if lines.own is not None:
        return _regrouped(file, lines, lines.own, times_from)
    if times_from == "physiology":
        return _physiology(file, lines)
    stamps_s = _stamps_s(file, lines)
    measured = _frame_means(stamps_s, lines) if np.ptp(stamps_s) > 0 else None
    exact = _exact(file, lines.frames, measured)
    if exact is not None:
        return exact
    if measured is not None and (np.diff(measured) > 0).all():
        return measured
    if measured is not None:
        file.warn("The acquisition time stamps do not increase from frame to frame and are not used.")
    return _from_repetition_time(file, lines)


def _stamps_s(file: Acquisitions, lines: Lines) -> NDArray[np.float64]:
    """(lines,) seconds since the first of them."""
    stamps = file.heads["acquisition_time_stamp"][lines.rows].astype(np.int64)
    # Past midnight the count starts again.
    stamps[stamps < stamps.max() - DAY_TICKS // 2] += DAY_TICKS
    return np.asarray((stamps - stamps.min()) * TICK_S, np.float64)


def _regrouped(file: Acquisitions, lines: Lines, own: Lines, times_from: str | None) -> NDArray[np.float64]:
    if times_from == "physiology":
        raise InputError(
            f"{file.name}: frames of a chosen number of shots follow the acquisition, not the trigger: leave "
            "--times-from or --shots-per-frame out."
        )
    stamps_s = _stamps_s(file, own)
    measured = _frame_means(stamps_s, own) if np.ptp(stamps_s) > 0 else None
    exact = _exact(file, own.frames, measured)
    used = np.isin(own.rows, lines.rows)
    first = np.full(own.frames, np.inf)
    np.minimum.at(first, own.frame, stamps_s)
    if (stamps_s > first[own.frame]).any():
        times = _frame_means(stamps_s[used], lines)
        if (np.diff(times) > 0).all():
            # The header's times have an origin of their own.
            return times if exact is None else times + exact[0] - _frame_means(stamps_s, own)[0]
        file.warn("The acquisition time stamps do not increase from frame to frame and are not used.")
    base = exact if exact is not None else measured
    duration_s = None
    if own.frames == 1 and file.header.repetition_time_s is not None:
        duration_s = file.header.repetition_time_s * len(own.rows)
    if base is None or (own.frames == 1 and duration_s is None) or (np.diff(base) <= 0).any():
        return _from_repetition_time(file, lines)
    shot_times = np.empty(len(own.rows))
    counts = np.bincount(own.frame, minlength=own.frames)
    shot_times[np.argsort(own.frame, kind="stable")] = spread_over_frames(base, counts, duration_s)
    return _frame_means(shot_times[used], lines)


def _frame_means(values: NDArray[np.float64], lines: Lines) -> NDArray[np.float64]:
    counts = np.bincount(lines.frame, minlength=lines.frames)
    return np.asarray(np.bincount(lines.frame, weights=values, minlength=lines.frames) / counts)


def _exact(file: Acquisitions, frames: int, measured: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    text = file.header.user_strings.get(EXACT_TIMES)
    if text is None:
        return None
    try:
        times = np.array([float(word) for word in text.split()])
    except ValueError:
        times = np.empty(0)
    agree = len(times) == frames and np.isfinite(times).all() and (np.diff(times) > 0).all()
    if agree and measured is not None:
        # Another program may have cut or edited the acquisitions and left the header.
        agree = bool(np.abs((times - times[0]) - (measured - measured[0])).max() <= 2 * TICK_S)
    if not agree:
        file.warn(f"The header's {EXACT_TIMES} do not fit the acquisitions and are not used.")
        return None
    return times


def _from_repetition_time(file: Acquisitions, lines: Lines) -> NDArray[np.float64]:
    repetition_time_s = file.header.repetition_time_s
    if repetition_time_s is None:
        file.warn("The file says nothing about time: 1 s a frame is assumed.")
        return np.arange(lines.frames, dtype=float)
    heads = file.heads[lines.rows]
    averages = len(np.unique(heads["idx"]["average"])) if lines.counter != "average" else 1
    count = len(lines.rows) / lines.frames
    if lines.counter == "phase":
        # A segmented cine measures one segment a heartbeat: a phase lasts as long as one segment's lines.
        count /= averages * len(np.unique(heads["idx"]["segment"]))
    interval = repetition_time_s * count
    file.warn(
        f"The file has no usable time stamps: {interval * 1000:g} ms a frame from the repetition time of "
        f"{repetition_time_s * 1000:g} ms and {count:g} lines a frame."
    )
    return np.asarray((np.arange(lines.frames) + 0.5) * interval, np.float64)


def _physiology(file: Acquisitions, lines: Lines) -> NDArray[np.float64]:
    stamps = file.heads["physiology_time_stamp"][lines.rows].astype(np.float64)
    present = np.flatnonzero(np.ptp(stamps, axis=0) > 0)
    if not present.size:
        raise InputError(f"{file.name} has no physiology time stamps: leave --times-from out.")
    times = _frame_means(stamps[:, present[0]] * TICK_S, lines)
    if (np.diff(times) <= 0).any():
        raise InputError(
            f"{file.name}: the mean time since the trigger does not increase from {lines.counter} to {lines.counter}, "
            "so it cannot number the frames: leave --times-from out, or take the frames from phase."
        )
    return times
