"""The speaking phantom's sound: it changes with what is said, and its labels say when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib.audio import read_textgrid, read_wav, spectrogram
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.phantoms.articulation import ARTICULATORS
from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

FEW = [
    "--trajectory",
    "radial",
    "--shots",
    "5",
    "--frames",
    "20",
    "--matrix",
    "32",
    "--coils",
    "1",
    "--set",
    "tr_s=0.01",
]


def test_sound_and_labels_of_a_simulated_speaker(tmp_path: Path) -> None:
    wav = tmp_path / "said.wav"
    arguments = ["simulate", "vocal-tract", *FEW, "--output", str(tmp_path / "k.npz"), "--sound", str(wav)]
    assert main(arguments) == 0
    sound, grid = read_wav(wav), read_textgrid(tmp_path / "said.TextGrid")
    assert sound.duration_s == pytest.approx(grid.end_s, abs=0.001)
    assert 0.9 < sound.duration_s < 1.2
    assert np.abs(sound.samples).max() == pytest.approx(0.8, abs=0.01)
    loud, hissed = [], []
    columns = np.arange(0.01, sound.duration_s - 0.01, 0.005)
    frequencies, power = spectrogram(sound, columns, highest_hz=8000)
    for one in grid.intervals["segments"]:
        inside = (columns > one.start_s + 0.02) & (columns < one.end_s - 0.02)
        if one.label in "aeiou" and inside.any():
            loud.append(power[frequencies < 1000][:, inside].max())
        if one.label == "s" and inside.any():
            hissed.append(power[frequencies > 4000][:, inside].mean() - power[frequencies < 1000][:, inside].mean())
    assert min(loud) > 30, "vowels sound"
    assert all(value > 0 for value in hissed)
    assert main([*arguments[:-4], "--output", str(tmp_path / "k2.npz"), "--sound", str(wav)]) == 2, "exists already"


def test_the_first_formant_follows_the_mouth() -> None:
    """Over vowels the strongest frequency below 1 kHz rises with the opening that lowers the tongue."""
    from DynamicMRIReconLib.audio import Recording
    from DynamicMRIReconLib.phantoms.speech_sound import RATE_HZ, speech_sound

    speech = VocalTractScene(0).speech
    sound = Recording(speech_sound(speech, 4.0), RATE_HZ)
    middles = [(s + e) / 2 for s, e, symbol in speech.segments(0.1, 3.9) if symbol and symbol in "aeiou"]
    times = np.arange(0.0, 4.0, 0.001)
    frequencies, power = spectrogram(sound, times, rows=200, highest_hz=1000, window_s=0.02)
    heard = [frequencies[power[:, round(1000 * middle)].argmax()] for middle in middles]
    low = speech.positions(middles)[:, ARTICULATORS.index("low")]
    assert np.corrcoef(heard, low)[0, 1] > 0.6


@pytest.mark.parametrize("scene", ["heart", "vocal-tract"])
def test_sound_is_refused_where_there_is_none(tmp_path: Path, scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = "said.wav" if scene == "heart" else "said.mp3"
    arguments = ["simulate", scene, *FEW, "--output", str(tmp_path / "k.npz"), "--sound", str(tmp_path / name)]
    assert main(arguments) == 2
    assert "--sound" in capsys.readouterr().err
    assert not (tmp_path / "k.npz").exists()
