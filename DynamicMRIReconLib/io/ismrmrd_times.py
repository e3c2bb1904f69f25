"""Frame times of an ISMRMRD file: exact ones of our writer, time stamps, repetition time, or one second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    library) hold where they agree with the stamps. Files without stamps: repetition time times lines a frame.

    Raises
    ------
    InputError
        Physiology stamps were asked for and are absent, or do not increase from frame to frame.
    """
    if times_from == "physiology":
        return _physiology(file, lines)
    stamps = file.heads["acquisition_time_stamp"][lines.rows].astype(np.int64)
    # Past midnight the count starts again.
    stamps[stamps < stamps.max() - DAY_TICKS // 2] += DAY_TICKS
    measured = _frame_means((stamps - stamps.min()) * TICK_S, lines) if np.ptp(stamps) > 0 else None
    exact = _exact(file, lines.frames, measured)
    if exact is not None:
        return exact
    if measured is not None and (np.diff(measured) > 0).all():
        return measured
    if measured is not None:
        file.warn("The acquisition time stamps do not increase from frame to frame and are not used.")
    return _from_repetition_time(file, lines)


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
