"""Waveform and spectrogram: what sounds when, and how high, exactly where the time axis says."""

from __future__ import annotations

import numpy as np
import pytest

from DynamicMRIReconLib.audio import Recording, spectrogram, waveform
from DynamicMRIReconLib.errors import InputError

RATE = 16000.0


def tone(hz: float, start_s: float, end_s: float, length_s: float = 1.0) -> Recording:
    times = np.arange(round(length_s * RATE)) / RATE
    sounding = (times >= start_s) & (times < end_s)
    return Recording((0.4 * np.sin(2 * np.pi * hz * times) * sounding).astype(np.float32), RATE)


def test_waveform_at_its_time_and_offset() -> None:
    columns = 0.2 + (np.arange(100) + 0.5) * 0.01
    sound = tone(300.0, 0.3, 0.5).starting_at(0.25)
    image = waveform(sound, columns)
    loud = image.sum(axis=0) > 1
    np.testing.assert_array_equal(loud, (columns > 0.55) & (columns < 0.75))
    assert (image[:, columns < 0.25] == 0).all(), "before the recording began"
    silent = ~loud & (columns > 0.25)
    assert (image[32, silent] == 1).all(), "silence is a line in the middle"
    assert image[0].any()
    assert image[-1].any()


def test_waveform_keeps_what_lies_above_and_below() -> None:
    samples = np.concatenate([np.full(100, 0.5), np.full(100, -0.25)]).astype(np.float32)
    image = waveform(Recording(samples, 1000.0), np.array([0.05, 0.15]), rows=41)
    np.testing.assert_array_equal(np.flatnonzero(image[:, 0]), [0])
    np.testing.assert_array_equal(np.flatnonzero(image[:, 1]), [30])


def test_columns_narrower_than_a_sample() -> None:
    image = waveform(Recording(np.array([0.5, -0.5], np.float32), 10.0), np.arange(0.005, 0.2, 0.01), rows=3)
    assert image.shape == (3, 20)
    assert (image.sum(axis=0) >= 1).all()


@pytest.mark.parametrize("hz", [500.0, 1500.0, 3800.0])
def test_spectrogram_finds_frequency_and_time(hz: float) -> None:
    columns = (np.arange(200) + 0.5) * 0.005
    frequencies, power = spectrogram(tone(hz, 0.4, 0.7), columns, window_s=0.02)
    assert (frequencies[0], frequencies[-1]) == (5000.0, 0.0)
    loud = power.max(axis=0) > 40
    np.testing.assert_array_equal(loud[(np.abs(columns - 0.4) > 0.01) & (np.abs(columns - 0.7) > 0.01)],
                                  ((columns > 0.4) & (columns < 0.7))[(np.abs(columns - 0.4) > 0.01)
                                                                      & (np.abs(columns - 0.7) > 0.01)])  # fmt: skip
    highest = frequencies[power[:, 100].argmax()]
    assert highest == pytest.approx(hz, abs=60)
    assert power.max() == pytest.approx(50.0)
    assert power.min() >= 0


def test_spectrogram_knows_the_offset_and_its_limits() -> None:
    columns = np.arange(0.0, 2.0, 0.02)
    _, power = spectrogram(tone(1000.0, 0.0, 1.0).starting_at(0.5), columns)
    np.testing.assert_array_equal(power.max(axis=0) > 20, (columns >= 0.5) & (columns < 1.5))
    slow = Recording(np.ones(500, np.float32), 1000.0)
    frequencies, _ = spectrogram(slow, columns)
    assert frequencies[0] == 500.0, "no frequency above half the sampling rate"
    _, silent = spectrogram(Recording(np.zeros(500, np.float32), 1000.0), columns)
    assert (silent == 0).all()


def test_louder_by_ten_is_twenty_decibels() -> None:
    quiet, loud = tone(1000.0, 0.1, 0.4), tone(1000.0, 0.6, 0.9)
    both = Recording(0.1 * quiet.samples + loud.samples, RATE)
    _, power = spectrogram(both, np.array([0.25, 0.5, 0.75]))
    assert power[:, 2].max() - power[:, 0].max() == pytest.approx(20, abs=0.3)


@pytest.mark.parametrize("times", [[0.1], [0.1, 0.2, 0.4], [0.2, 0.1]])
def test_uneven_columns_are_refused(times: list[float]) -> None:
    with pytest.raises(InputError, match="evenly spaced"):
        waveform(tone(100.0, 0, 1), times)
    with pytest.raises(InputError, match="evenly spaced"):
        spectrogram(tone(100.0, 0, 1), times)


def test_a_window_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="above 0"):
        spectrogram(tone(100.0, 0, 1), [0.1, 0.2], window_s=0.0)
