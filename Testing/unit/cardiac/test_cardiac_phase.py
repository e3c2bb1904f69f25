"""Phase code, ED and ES from every source, several beats, what is no heartbeat."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from beating import heart

from DynamicMRIReconLib import io
from DynamicMRIReconLib.cardiac.beats import find_beats
from DynamicMRIReconLib.cardiac.phase import find_phase
from DynamicMRIReconLib.cardiac.phase_code import phase_code
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError

SAMPLE = Path(__file__).parents[3] / "Resources" / "SampleData" / "cine_sax"
#: when the phantoms' ventricle is largest and smallest, in parts of the beat from the R wave on
LARGEST, SMALLEST = (-0.02, 0.03), (0.37, 0.40)
ED, ES = 0.0, 0.385
#: of the sample, from looking at its pictures: the ventricle is largest in frames 18 to 0, smallest in frame 6 or 7
SAMPLE_ED, SAMPLE_ES = (18, 19, 0), (6, 7)


def apart(frame, truth, beat):
    """Distance round the beat."""
    return abs((frame - truth + beat / 2) % beat - beat / 2)


def late(frame, interval, beat, start):
    """Frames between ``frame`` and the interval (parts of the beat) of a series that begins at ``start``."""
    middle, half = beat * (np.mean(interval) - start), beat * (interval[1] - interval[0]) / 2
    return max(0.0, apart(frame, middle, beat) - half)


@pytest.mark.parametrize(
    ("frames", "ed", "es", "beat"), [(20, 0, 7, 20), (25, 3, 12, 25), (30, 22, 4, 30), (30, 2, 5.5, 9.6)]
)
def test_code_is_one_at_ed_minus_one_at_es_and_continuous(frames, ed, es, beat):
    code = phase_code(frames, ed, es, beat)
    fine = phase_code(1000 * frames, 1000 * ed, 1000 * es, 1000 * beat)
    np.testing.assert_allclose(fine[::1000], code, atol=1e-9)
    assert fine[1000 * ed] == pytest.approx(1, abs=1e-6)
    assert fine[int(1000 * es)] == pytest.approx(-1, abs=1e-6)
    assert np.abs(np.diff(fine)).max() < 2e-3
    np.testing.assert_allclose(code[:3], phase_code(frames, ed + beat, es - beat, beat)[:3], atol=1e-9)


def test_code_is_the_published_one():
    ramps = np.concatenate([np.linspace(0, np.pi, 9), np.linspace(np.pi, 2 * np.pi, 18)[1:-1]])
    np.testing.assert_allclose(phase_code(25, 0, 8, 25), np.cos(ramps), atol=1e-12)
    t, first, last = np.arange(25), 3, 11
    inside = np.cos(np.pi * (t - first) / (last - first))
    outside = np.cos(np.pi * (1 + np.mod(t - last, 25) / (25 - (last - first))))
    np.testing.assert_allclose(
        phase_code(25, first, last, 25), np.where((t > first) & (t <= last), inside, outside), atol=1e-12
    )


@pytest.mark.parametrize(("ed", "es", "beat"), [(3, 3, 20), (0, 20, 20), (1, 2, 0)])
def test_no_code_without_two_times(ed, es, beat):
    with pytest.raises(InputError):
        phase_code(20, ed, es, beat)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize(("frames", "start"), [(20, 0.0), (25, 0.55), (15, 0.2)])
def test_one_beat_of_a_phantom_within_a_frame(seed, frames, start):
    found = find_phase(heart(seed, frames, start=start))
    assert found.frames_per_beat == frames
    assert found.is_cyclic
    assert found.ed_from == found.es_from == "images"
    assert late(found.ed_frame, LARGEST, frames, start) <= 1 + 1e-6
    assert late(found.es_frame, SMALLEST, frames, start) <= 1
    x0, y0, x1, y1 = found.box
    assert 0 < x0 < x1 < 96
    assert 0 < y0 < y1 < 96
    assert len(found.code) == frames


@pytest.mark.parametrize(("seed", "beats", "start"), [(0, 3, 0.0), (4, 2, 0.3), (2, 2.6, 0.1)])
def test_several_beats_are_counted_and_end_in_the_middle_of_one(seed, beats, start):
    frames = 40
    series = heart(seed, frames, beats, start)
    found = find_phase(series)
    beat = frames / beats
    assert found.frames_per_beat == pytest.approx(beat, rel=0.02)
    assert found.beats == pytest.approx(beats, rel=0.02)
    assert late(found.ed_frame, LARGEST, beat, start) <= 1
    assert late(found.es_frame, SMALLEST, beat, start) <= 1
    truth = phase_code(frames, beat * (ED - start), beat * (ES - start), beat)
    assert np.corrcoef(found.code, truth)[0, 1] > 0.9
    told = find_phase(series, beats=beats)
    assert told.frames_per_beat == beat


def test_half_a_beat_and_a_film_that_does_not_come_back_are_no_cycle():
    assert find_beats(heart(0, 20).array).is_cyclic
    assert not find_beats(heart(0, 20, beats=0.4).array).is_cyclic
    y, x = np.indices((32, 32))
    moving = np.stack([np.hypot(x - 5 - t, y - 16) < 4 for t in range(20)])[:, None].astype(np.float32)
    assert not find_beats(moving).is_cyclic


def test_nothing_moves():
    still = ImageSeries(np.ones((6, 1, 16, 16), np.float32), np.eye(4), np.arange(6.0))
    found = find_phase(still)
    assert found.box is None
    assert found.ed_from == found.es_from == "none"
    np.testing.assert_array_equal(found.code, 1)


def test_motion_that_is_no_filling_and_emptying_is_assumed_to_contract():
    y, x = np.indices((32, 32))
    turn = 2 * np.pi * np.arange(12) / 12
    moving = np.stack([np.hypot(x - 16 - 6 * np.cos(t), y - 16 - 6 * np.sin(t)) < 4 for t in turn])
    found = find_phase(ImageSeries(moving[:, None].astype(np.float32), np.eye(4), np.arange(12) * 0.05), ed_frame=0)
    assert found.code[0] == 1
    assert found.es_from in ("assumed", "images")
    assert found.code.min() < -0.9


def test_an_assumed_end_systole_lies_within_the_series():
    late = replace(heart(), array=np.roll(heart().array, 9, axis=0))
    systole = round(find_phase(late).es_frame)
    found = find_phase(late, ed_frame=systole)
    assert found.es_from == "assumed"
    assert 0 <= found.es_frame < 20
    assert (found.es_frame - systole) % 20 == pytest.approx(7)


@pytest.mark.parametrize("curve_of", [lambda array: np.zeros(len(array)), lambda array: np.ones(len(array))])
def test_a_flat_curve_gives_an_assumed_end_systole(monkeypatch, curve_of):
    monkeypatch.setattr("DynamicMRIReconLib.cardiac.phase.blood_curve", lambda array, box: curve_of(array))
    found = find_phase(heart())
    assert found.es_from == "assumed"
    assert (found.es_frame - found.ed_frame) % 20 == pytest.approx(7)


def test_the_real_cine_with_and_without_its_trigger_times():
    series = io.read(SAMPLE)
    by_trigger, by_images = find_phase(series), find_phase(replace(series, metadata={}))
    assert (by_trigger.ed_frame, by_trigger.ed_from) == (0, "trigger times")
    assert by_images.ed_from == "images"
    assert min(apart(by_images.ed_frame, ed, 20) for ed in SAMPLE_ED) <= 1
    for found in (by_trigger, by_images):
        assert found.is_cyclic
        assert min(apart(found.es_frame, es, 20) for es in SAMPLE_ES) <= 1


def test_what_the_user_says_counts(tmp_path):
    series = heart()
    info = tmp_path / "Info.cfg"
    info.write_text("ED: 2\nES: 10\nGroup: NOR\nHeight: 170.0\nNbFrame: 20\nWeight: 70.0\n")
    from_file = find_phase(series, info_file=info)
    assert (from_file.ed_frame, from_file.es_frame) == (1, 9)
    assert (from_file.ed_from, from_file.es_from) == ("info file", "info file")
    both = find_phase(series, info_file=info, es_frame=8)
    assert (both.ed_frame, both.es_frame, both.ed_from, both.es_from) == (1, 8, "info file", "user")
    assert both.code[1] == pytest.approx(1)
    assert both.code[8] == pytest.approx(-1)
    notes = both.notes()
    assert notes["code"][8] == -1
    assert notes["beats"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ED: 1\n", "no line 'ES"),
        ("ED: one\nES: 3\n", "no line 'ED"),
        ("ED: 1\nES: 30\n", "outside"),
        ("ED: 1\nES: 9\nNbFrame: 30\n", "30 frames"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_does_not_fit(tmp_path, text, words):
    path = tmp_path / "Info.cfg"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=words):
        find_phase(heart(), info_file=path)


@pytest.mark.parametrize("given", [{"ed_frame": 20}, {"es_frame": -1}, {"beats": 11}, {"ed_frame": 4, "es_frame": 4}])
def test_what_cannot_be(given):
    with pytest.raises(InputError):
        find_phase(heart(), **given)
