"""Sound beside the images: the same moment at the same place, labels, playing in step, files that are broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scans
import slicer
import vtk
from scipy.io import wavfile

from DynamicMRIReconLib.audio import Interval, TextGrid, read_textgrid, write_textgrid
from DynamicMRIReconLib.data import ImageSeries

RATE = 8000
#: of the sound's time; a beep, and the labels of before and during it
BEEP = (0.3, 0.42)
FRAMES = 24


def beep(path: Path, bits: int = 16) -> Path:
    times = np.arange(RATE) / RATE
    sound = 0.7 * np.sin(2 * np.pi * 1500 * times) * ((times >= BEEP[0]) & (times < BEEP[1]))
    wavfile.write(path, RATE, (sound * (2 ** (bits - 1) - 1)).astype(np.int16 if bits == 16 else np.int32))
    return path


@pytest.fixture
def measured(panel: Any, tmp_path: Path) -> Any:
    """An object that moves in frames of uneven length, a line across its border, a beep and its labels."""
    from DynamicMRIReconSlicer import sequences

    still = scans.images(frames=FRAMES)
    times = 0.1 + np.cumsum(np.tile([0.02, 0.04, 0.03], FRAMES // 3))
    sequence = sequences.fromSeries(ImageSeries(still.array, still.affine, times), "Speech").sequence
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "Border")
    for y in (12.0, 29.0):
        line.AddControlPointWorld(vtk.vtkVector3d(*scans.geometry(32).to_ras((14.0, y, 0.0))), "p")
    panel.ui.profileSequenceSelector.setCurrentNode(sequence)
    panel.ui.profileLineSelector.setCurrentNode(line)
    beep(tmp_path / "speech.wav")
    labels = [Interval(0.2, BEEP[0], "s"), Interval(*BEEP, "a")]
    write_textgrid(TextGrid(0.0, 1.0, {"phones": labels}), tmp_path / "speech.TextGrid")
    return sequence


def mmode() -> Any:
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return next(one for one in volumes if one.GetAttribute("DynamicMRIRecon.SecondsPerColumn"))


def of_sound(name: str) -> Any:
    return mmode().GetNodeReference(f"DynamicMRIRecon.{name}")


def seconds_at(x: np.ndarray) -> np.ndarray:
    """The times at places of the M-mode's picture, by its own columns."""
    volume = mmode()
    columns = (x - volume.GetOrigin()[0]) / -volume.GetSpacing()[0]
    start, step = (float(volume.GetAttribute(f"DynamicMRIRecon.{a}")) for a in ("StartTime_s", "SecondsPerColumn"))
    return start + columns * step


def places(volume: Any, columns: np.ndarray) -> np.ndarray:
    return volume.GetOrigin()[0] - volume.GetSpacing()[0] * columns


def test_sound_stands_below_the_moment_at_which_it_was_heard(panel: Any, measured: Any, tmp_path: Path) -> None:
    panel.ui.computeProfileButton.click()
    assert of_sound("Waveform") is None
    panel.ui.soundOffsetSpin.setValue(150.0)
    panel.ui.soundPathEdit.setCurrentPath(str(tmp_path / "speech.wav"))
    assert "1.00 s at 8000 Hz, beginning at 0.150 s" in panel.text("soundLabel")
    wave, spectrum = of_sound("Waveform"), of_sound("Spectrogram")
    for volume, least in ((wave, 2.0), (spectrum, 25.0)):
        array = slicer.util.arrayFromVolume(volume)[0]
        loud = np.flatnonzero(array.sum(axis=0) > 1.5) if volume is wave else np.flatnonzero(array.max(axis=0) > least)
        heard = seconds_at(places(volume, loud[[0, -1]]))
        np.testing.assert_allclose(heard, 0.15 + np.array(BEEP), atol=0.006)
        both = [np.zeros(6), np.zeros(6)]
        for node, bounds in zip((mmode(), volume), both, strict=True):
            node.GetRASBounds(bounds)
        np.testing.assert_allclose(both[0][:2], both[1][:2], atol=1e-6)
    frequencies = np.linspace(float(spectrum.GetAttribute("DynamicMRIRecon.HighestHertz")), 0, array.shape[0])
    assert frequencies[array.max(axis=1).argmax()] == pytest.approx(1500, abs=150)
    _check_views()
    panel.ui.soundPathEdit.setCurrentPath("")
    assert of_sound("Waveform") is None, "no sound, no pictures of it"
    assert "Waveform" not in slicer.app.layoutManager().sliceViewNames()


def test_time_runs_from_left_to_right_however_the_views_were_turned(panel: Any, measured: Any, tmp_path: Path) -> None:
    panel.ui.soundPathEdit.setCurrentPath(str(tmp_path / "speech.wav"))
    panel.ui.computeProfileButton.click()
    for name in ("MMode", "Waveform"):
        node = slicer.app.layoutManager().sliceWidget(name).sliceLogic().GetSliceNode()
        node.SetOrientation("Axial")
        for row in range(3):
            node.GetSliceToRAS().SetElement(row, 0, -node.GetSliceToRAS().GetElement(row, 0))
        node.UpdateMatrices()
    panel.ui.computeProfileButton.click()
    _check_views()


def _check_views() -> None:
    """In all three views a pixel from the left is the same moment."""
    manager = slicer.app.layoutManager()
    assert {"MMode", "Waveform", "Spectrogram"} <= set(manager.sliceViewNames())
    edges = []
    for name in ("MMode", "Waveform", "Spectrogram"):
        logic = manager.sliceWidget(name).sliceLogic()
        node = logic.GetSliceNode()
        corners = [node.GetXYToRAS().MultiplyPoint((x, 0, 0, 1))[0] for x in (0, node.GetDimensions()[0])]
        edges.append(seconds_at(np.array(corners)))
    assert edges[0][0] < edges[0][1]
    np.testing.assert_allclose(edges[1], edges[0], atol=1e-6)
    np.testing.assert_allclose(edges[2], edges[0], atol=1e-6)


def test_the_scales_of_an_m_mode_are_exact(panel: Any, measured: Any) -> None:
    panel.ui.computeProfileButton.click()
    scales = of_sound("Scales")
    told = [(scales.GetNthControlPointLabel(i), scales.GetNthControlPointPosition(i))
            for i in range(scales.GetNumberOfControlPoints())]  # fmt: skip
    times = [(float(text[:-2]), place) for text, place in told if text.endswith(" s")]
    positions = [(float(text[:-3]), place) for text, place in told if text.endswith(" mm")]
    assert min(len(times), len(positions)) >= 3
    np.testing.assert_allclose(seconds_at(np.array([p[0] for _, p in times])), [t for t, _ in times], atol=1e-5)
    step = float(mmode().GetAttribute("DynamicMRIRecon.MillimetresPerRow"))
    rows = (np.array([p[1] for _, p in positions]) - mmode().GetOrigin()[1]) / -mmode().GetSpacing()[1]
    np.testing.assert_allclose(rows * step, [p for p, _ in positions], atol=1e-5)
    display = scales.GetDisplayNode()
    node = slicer.app.layoutManager().sliceWidget("MMode").mrmlSliceNode()
    assert [display.GetNthViewNodeID(i) for i in range(display.GetNumberOfViewNodeIDs())] == [node.GetID()]
    assert scales.GetLocked()


def test_labels_are_drawn_and_measured(panel: Any, measured: Any, tmp_path: Path) -> None:
    panel.ui.soundPathEdit.setCurrentPath(str(tmp_path / "speech.wav"))
    panel.ui.labelsPathEdit.setCurrentPath(str(tmp_path / "speech.TextGrid"))
    assert "phones (2)" in panel.text("soundLabel")
    panel.ui.computeProfileButton.click()
    borders = slicer.util.arrayFromVolume(of_sound("LabelBorders"))[0].any(axis=0)
    runs = np.split(np.flatnonzero(borders), np.flatnonzero(np.diff(np.flatnonzero(borders)) > 1) + 1)
    drawn = seconds_at(places(of_sound("LabelBorders"), np.array([run.mean() for run in runs])))
    np.testing.assert_allclose(drawn, [0.2, *BEEP], atol=0.001)
    texts = of_sound("LabelTexts")
    assert [texts.GetNthControlPointLabel(i) for i in range(2)] == ["s", "a"]
    middle = seconds_at(np.array([texts.GetNthControlPointPosition(1)[0]]))
    assert middle[0] == pytest.approx(np.mean(BEEP), abs=1e-5)
    table = of_sound("LabelTable").GetTable()
    assert table.GetColumnByName("label").GetValue(1) == "a"
    assert of_sound("LabelTable").GetColumnUnitLabel("largest velocity") == "mm/s"
    edges = slicer.util.arrayFromTableColumn(mmode().GetNodeReference("DynamicMRIRecon.EdgeTable"), "edge position")
    times = slicer.util.arrayFromTableColumn(mmode().GetNodeReference("DynamicMRIRecon.EdgeTable"), "time")
    inside = (times >= BEEP[0]) & (times < BEEP[1])
    assert table.GetColumnByName("edge mean").GetValue(1) == pytest.approx(edges[inside].mean())


def test_turning_points_and_labels_are_exported_in_the_time_of_the_sound(
    panel: Any, measured: Any, tmp_path: Path
) -> None:
    panel.logic.setSound(tmp_path / "speech.wav", 50.0, tmp_path / "speech.TextGrid")
    profile = panel.logic.computeLineProfile(measured, slicer.util.getNode("Border"))
    written = panel.logic.writeProfiles(measured, tmp_path / "out.csv")
    names = {path.name for path in written}
    assert names == {f"out.Border.{end}" for end in ("edge.csv", "mmode.csv", "TextGrid", "labels.csv")}
    grid = read_textgrid(tmp_path / "out.Border.TextGrid")
    assert (grid.start_s, grid.end_s) == (0.0, 1.0)
    (turn,) = profile.mmode.turning_points
    (point,) = grid.points["turning points"]
    assert point.time_s == pytest.approx(turn.time_s - 0.05, abs=1e-6)
    assert point.label == turn.kind
    assert (tmp_path / "out.Border.labels.csv").read_text().splitlines()[2].startswith("phones,a,0.350000,0.470000,")


def test_sound_comes_back_with_the_scene(panel: Any, measured: Any, tmp_path: Path) -> None:
    panel.ui.soundPathEdit.setCurrentPath(str(tmp_path / "speech.wav"))
    panel.ui.soundOffsetSpin.setValue(-40.0)
    panel.ui.computeProfileButton.click()
    before = slicer.util.arrayFromVolume(of_sound("Spectrogram")).copy()
    panel.widget.exit()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.host.clear_scene()
    assert panel.text("soundLabel").startswith("Pick a wav file")
    slicer.util.loadScene(path)
    panel.widget.enter()
    assert panel.ui.soundOffsetSpin.property("value") == -40.0
    assert "beginning at -0.040 s" in panel.text("soundLabel")
    np.testing.assert_allclose(slicer.util.arrayFromVolume(of_sound("Spectrogram")), before, atol=1e-4)
    count = slicer.mrmlScene.GetNumberOfNodes()
    panel.ui.computeProfileButton.click()
    assert slicer.mrmlScene.GetNumberOfNodes() == count


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "cannot be read"), (b"RIFF nonsense", "cannot be read"), (None, "does not exist")]
)
def test_what_is_no_sound_says_so(panel: Any, measured: Any, tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "broken.wav"
    if content is not None:
        path.write_bytes(content)
    panel.ui.soundPathEdit.setCurrentPath(str(path))
    assert said in panel.text("soundLabel")
    assert "broken.wav" in panel.text("soundLabel")
    assert not panel.ui.playSoundButton.isEnabled()
    panel.ui.computeProfileButton.click()
    assert of_sound("Waveform") is None
    assert "The edge moves" in panel.text("profileLabel"), "the profile needs no sound"


def test_without_qt_multimedia_it_is_drawn_and_says_that_it_cannot_be_heard(
    panel: Any, measured: Any, tmp_path: Path
) -> None:
    import qt

    assert not hasattr(qt, "QMediaPlayer"), "the host has none"
    panel.ui.soundPathEdit.setCurrentPath(str(tmp_path / "speech.wav"))
    assert "needs Qt Multimedia" in panel.text("playSoundButton")
    assert "without Qt Multimedia" in panel.ui.playSoundButton.property("toolTip")
    assert not panel.ui.playSoundButton.isEnabled()
    panel.ui.computeProfileButton.click()
    assert of_sound("Waveform") is not None


class FakeSound:
    """Sounds as fast as the test's clock, ``lag`` seconds behind it."""

    lag = 0.05

    def __init__(self, clock: list[float]) -> None:
        self.clock, self.began, self.first, self.stopped = clock, 0.0, 0.0, False

    def play(self, from_s: float) -> None:
        self.began, self.first = self.clock[0], from_s

    def stop(self) -> None:
        self.stopped = True

    def positionS(self) -> float:
        return self.first + max(0.0, self.clock[0] - self.began - self.lag)


@pytest.mark.parametrize("offset", [0.15, -0.1, 0.0])
def test_frames_follow_what_is_heard(panel: Any, measured: Any, offset: float) -> None:
    """The player's own delay holds the frames back too, so that they stay with the sound."""
    from DynamicMRIReconSlicer import sequenceReader, sequences
    from DynamicMRIReconSlicer.soundPlayer import SoundPlayer

    clock, ended, made = [0.0], [], []
    player = SoundPlayer(
        lambda: ended.append(1), lambda path: made.append(FakeSound(clock)) or made[-1], lambda: clock[0]
    )
    times, _ = sequenceReader.times(measured)
    browser = sequences.browserOf(measured)
    player.play(Path("speech.wav"), 0.5, offset, browser, times)
    assert player.playing
    shown, heard = [], []
    while player.playing and clock[0] < 3.0:
        clock[0] += 0.005
        player._tick()
        if player.playing and made[0].positionS() > max(0.0, times[0] - offset) and made[0].positionS() < 0.45:
            shown.append(times[browser.GetSelectedItemNumber()])
            heard.append(offset + made[0].positionS())
    assert len(ended) == 1
    assert made[0].stopped
    late = np.array(heard) - np.array(shown)
    assert len(late) > 20
    assert late.min() > -1e-6
    assert late.max() < np.diff(times).max() + 1e-6, "never more than a frame behind"
    assert browser.GetSelectedItemNumber() == FRAMES - 1
    player.stop()
    assert len(ended) == 1
