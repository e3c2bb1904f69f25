"""Waveform and spectrogram as images whose columns are times of a series, to stand below its M-mode."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DynamicMRIReconLib.audio.wav import Recording
from DynamicMRIReconLib.errors import InputError

#: rows of the waveform's image, odd so that silence is one line in the middle
WAVEFORM_ROWS = 65
#: as in Praat: Gaussian window of 5 ms, up to 5 kHz, 50 dB below the loudest
WINDOW_S, HIGHEST_HZ, RANGE_DB = 0.005, 5000.0, 50.0
#: speech falls by about so much an octave; raised by it, formants look alike
_EMPHASIS_FROM_HZ = 50.0
_COLUMNS_AT_ONCE = 512


def waveform(recording: Recording, times_s: ArrayLike, rows: int = WAVEFORM_ROWS) -> NDArray[np.float32]:
    """(rows, times) image of the waveform, 1 between the lowest and the highest sample of a column and 0 elsewhere.

    Row 0 is the largest amplitude of the recording upwards, the last row the same downwards. Columns reach halfway to
    their neighbours; those wholly outside the recording are empty.

    Parameters
    ----------
    times_s
        (times,) evenly spaced middles of the columns, on the time axis of the series.

    Raises
    ------
    InputError
        Fewer than two columns, or times that are not evenly spaced.
    """
    times, step = _columns(times_s)
    borders = np.concatenate([times - step / 2, [times[-1] + step / 2]]) - recording.start_s
    bounds = np.ceil(borders * recording.rate_hz - 1e-9).astype(np.int64)
    largest = float(np.abs(recording.samples).max()) or 1.0
    middle = (rows - 1) / 2
    image = np.zeros((rows, len(times)), np.float32)
    for column, (first, last) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        if last == first:
            # A column narrower than a sample, which lasts until the next one.
            first -= 1
        piece = recording.samples[max(0, first) : max(0, last)]
        if piece.size:
            top = round(middle * (1 - float(piece.max()) / largest))
            bottom = round(middle * (1 - float(piece.min()) / largest))
            image[top : bottom + 1, column] = 1.0
    return image


def spectrogram(
    recording: Recording,
    times_s: ArrayLike,
    *,
    rows: int = 128,
    highest_hz: float = HIGHEST_HZ,
    window_s: float = WINDOW_S,
    range_db: float = RANGE_DB,
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Frequencies (rows,) in Hz, falling, and (rows, times) power in dB above ``range_db`` below the loudest, from 0.

    Each column is the spectrum in a Gaussian window around its time (effective length ``window_s``, as Praat counts
    it: the window itself is twice as long), raised by 6 dB an octave. Columns outside the recording are 0. The highest
    frequency is at most half the sampling rate.

    Parameters
    ----------
    times_s
        As for ``waveform``.

    Raises
    ------
    InputError
        Times as for ``waveform``; rows, frequency, window or range not above 0.
    """
    from scipy.signal.windows import gaussian

    times, _ = _columns(times_s)
    if rows < 2 or not min(highest_hz, window_s, range_db) > 0:
        raise InputError("A spectrogram needs two rows, and a highest frequency, a window and a range above 0.")
    half = max(1, round(window_s * recording.rate_hz))
    # Twelve standard deviations over the whole window: its ends are down by more than the range.
    window = gaussian(2 * half + 1, (2 * half + 1) / 12)
    size = max(1 << int(np.ceil(np.log2(2 * half + 1))), 2 * rows)
    top = min(float(highest_hz), recording.rate_hz / 2)
    wanted = np.linspace(top, 0.0, rows)
    bins = wanted * size / recording.rate_hz
    padded = np.pad(recording.samples, half)
    middles = np.rint((times - recording.start_s) * recording.rate_hz).astype(np.int64)
    inside = (middles >= 0) & (middles < len(recording.samples))
    power = np.zeros((rows, len(times)))
    offsets = np.arange(2 * half + 1)
    columns = np.flatnonzero(inside)
    for first in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = columns[first : first + _COLUMNS_AT_ONCE]
        spectra = np.abs(np.fft.rfft(padded[middles[some, None] + offsets] * window, size, axis=1)) ** 2
        power[:, some] = np.stack([np.interp(bins, np.arange(spectra.shape[1]), one) for one in spectra], axis=1)
    power *= np.maximum(wanted, _EMPHASIS_FROM_HZ)[:, None] ** 2
    loudest = float(power.max())
    if loudest <= 0:
        return wanted, np.zeros_like(power, np.float32)
    decibels = 10 * np.log10(np.maximum(power / loudest, 10 ** (-range_db / 10))) + range_db
    decibels[:, ~inside] = 0.0
    return wanted, decibels.astype(np.float32)


def _columns(times_s: ArrayLike) -> tuple[NDArray[np.float64], float]:
    times = np.asarray(times_s, np.float64)
    steps = np.diff(times)
    if times.ndim != 1 or len(times) < 2 or not (steps > 0).all() or np.ptp(steps) > 1e-6 * float(np.ptp(times)):
        raise InputError("Sound is drawn in two or more columns that are evenly spaced in time.")
    return times, float(steps.mean())
