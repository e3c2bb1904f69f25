"""Wav files of every usual kind, written by others, and broken ones."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from DynamicMRIReconLib.audio import read_wav
from DynamicMRIReconLib.errors import InputError

RATE = 8000
SOUND = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2000) / RATE)


def pcm(path: Path, width: int, channels: int = 1) -> Path:
    """A file as Python's own wave module writes it, samples packed by hand."""
    largest = 2 ** (8 * width - 1)
    values = np.rint(SOUND * (largest - 1)).astype(np.int64)
    if width == 1:
        values = values + 128
    packed = b"".join(int(v).to_bytes(width, "little", signed=width > 1) * channels for v in values)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(RATE)
        file.writeframes(packed)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_pcm_of_all_widths(tmp_path: Path, width: int) -> None:
    sound = read_wav(pcm(tmp_path / "a.wav", width))
    assert sound.rate_hz == RATE
    assert sound.duration_s == pytest.approx(0.25)
    assert sound.name == "a.wav"
    np.testing.assert_allclose(sound.samples, SOUND, atol=1.5 / 2 ** (8 * min(width, 3) - 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point(tmp_path: Path, dtype: type) -> None:
    wavfile.write(tmp_path / "f.wav", 44100, SOUND.astype(dtype))
    sound = read_wav(tmp_path / "f.wav")
    assert sound.samples.dtype == np.float32
    np.testing.assert_allclose(sound.samples, SOUND, atol=1e-7)


def test_channels_are_averaged_and_titles_skipped(tmp_path: Path) -> None:
    both = np.stack([SOUND, np.zeros_like(SOUND)], axis=1).astype(np.float32)
    wavfile.write(tmp_path / "s.wav", RATE, both)
    np.testing.assert_allclose(read_wav(tmp_path / "s.wav").samples, SOUND / 2, atol=1e-7)
    content = pcm(tmp_path / "t.wav", 2).read_bytes()
    extra = b"iXML" + struct.pack("<I", 4) + b"<a/>"
    (tmp_path / "t.wav").write_bytes(content[:4] + struct.pack("<I", len(content) + 4) + content[8:] + extra)
    assert len(read_wav(tmp_path / "t.wav").samples) == 2000


def test_a_place_on_the_time_axis_of_the_series(tmp_path: Path) -> None:
    sound = read_wav(pcm(tmp_path / "a.wav", 2))
    assert sound.start_s == 0.0
    assert sound.starting_at(-0.02).start_s == -0.02


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b"", "cannot be read"),
        (lambda b: b"no sound at all, just text", "cannot be read"),
        (lambda b: b[:30], "cannot be read"),
        (lambda b: b[:1000], "cut short"),
        (lambda b: b[:20] + struct.pack("<H", 85) + b[22:], "cannot be read"),  # MP3 inside a wav file
        (lambda b: b[:24] + struct.pack("<II", 0, 0) + b[32:], "samples per second"),
        (lambda b: b[:22] + struct.pack("<H", 0) + b[24:], "cannot be read"),
        (lambda b: b[:4] + struct.pack("<I", 36) + b[8:40] + struct.pack("<I", 0), "no sound"),
    ],
)
def test_broken_files_say_what_is_wrong(tmp_path: Path, change: object, said: str) -> None:
    path = pcm(tmp_path / "a.wav", 2)
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(InputError, match=said) as error:
        read_wav(path)
    assert "a.wav" in str(error.value)


def test_what_is_not_there_or_no_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_wav(tmp_path / "missing.wav")
    with pytest.raises(InputError, match="does not exist"):
        read_wav(tmp_path)
    wavfile.write(tmp_path / "nan.wav", RATE, np.array([0.0, np.nan], np.float32))
    with pytest.raises(InputError, match="no numbers"):
        read_wav(tmp_path / "nan.wav")
