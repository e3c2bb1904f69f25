"""Movies: true speed, right side up, the stamp; video of others as series; what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError, ResourceError
from DynamicMRIReconLib.io.gif import shown_frames
from DynamicMRIReconLib.io.movie_frames import View, pictures
from DynamicMRIReconLib.phantoms.marker import MarkerScene

TIMES_S = np.array([0.25, 0.263, 0.35, 1.9, 2.0])


def blob(times_s: np.ndarray = TIMES_S, slices: int = 1, synthetic: list[bool] | None = None) -> ImageSeries:
    """Axial images 40 x 30 of 2 x 3 mm with a blob at the patient's left front, brighter by the frame."""
    j, i = np.mgrid[:30, :40]
    spot = np.exp(-((i - 33) ** 2 + (j - 5) ** 2) / 12)
    array = np.stack([spot * (n + 1) for n in range(len(times_s))])[:, None].repeat(slices, axis=1)
    return ImageSeries(array, np.diag([-2.0, -3.0, 5.0, 1.0]), times_s, synthetic)


def peak(picture: np.ndarray) -> np.ndarray:
    """Row and column of the blob's middle, as fractions of the picture above the strip of text."""
    grey = np.array(picture, float)[..., :3].mean(axis=-1)[:-26]
    grey[grey < 0.6 * grey.max()] = 0
    rows, columns = np.indices(grey.shape)
    return np.array([(rows * grey).sum(), (columns * grey).sum()]) / grey.sum() / grey.shape


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_times_and_pictures_come_back(suffix: str, tmp_path: Path) -> None:
    series = blob(np.array([0.25, 0.29, 0.35, 1.9, 2.0]))
    back = dmr.read(dmr.write(tmp_path / f"a{suffix}", series))
    assert np.abs(back.times_s - (series.times_s - 0.25)).max() < (1e-4 if suffix == ".mp4" else 1e-9)
    for frame, picture in zip(back.array[:, 0], pictures(series), strict=True):
        off = np.abs(frame - np.asarray(picture.convert("L"), float))
        assert off.mean() < 1.5
        assert np.percentile(off, 99) < 12
    assert "pixel" in back.metadata["warnings"][0]
    np.testing.assert_allclose(back.geometry.spacing_mm, 1.0)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_the_pixel_size_that_was_told_scales_the_picture_about_its_place(suffix: str, tmp_path: Path) -> None:
    path = dmr.write(tmp_path / f"a{suffix}", blob())
    plain, told = dmr.read(path), dmr.read(path, pixel_size_mm=2.4)
    np.testing.assert_allclose(told.geometry.spacing_mm[:2], 2.4)
    rows, columns = plain.array.shape[2:]
    middle = (columns // 2, rows // 2, 0)
    np.testing.assert_allclose(told.geometry.to_ras(middle), 0, atol=1e-9)
    np.testing.assert_allclose(told.geometry.to_ras((0, 0, 0)), 2.4 * plain.geometry.to_ras((0, 0, 0)), atol=1e-9)
    assert not any("1 mm" in warning for warning in told.metadata["warnings"])
    assert any("1 mm" in warning for warning in plain.metadata["warnings"])
    for wrong in (0, -1.0, float("inf"), float("nan"), "2"):
        with pytest.raises(InputError, match="pixel_size_mm"):
            dmr.read(path, pixel_size_mm=wrong)
    with pytest.raises(InputError, match="means nothing"):
        dmr.read(dmr.write(tmp_path / "a.seq.nrrd", blob()), pixel_size_mm=2.0)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe (Debian: ffmpeg) is not installed")
def test_ffprobe_sees_the_true_times(tmp_path: Path) -> None:
    movie = dmr.write(tmp_path / "a.mp4", blob())
    command = ["ffprobe", "-v", "error", "-show_entries", "frame=pts_time", "-of", "csv=p=0", movie]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    times = [float(line.strip(",")) for line in lines if line.strip(",")]
    np.testing.assert_allclose(times, TIMES_S - TIMES_S[0], atol=1e-4)


def test_a_fast_gif_leaves_frames_out_but_keeps_its_speed() -> None:
    times = np.arange(100) * 0.012
    shown, ticks = shown_frames(times)
    assert 40 < len(shown) <= 60
    assert (ticks >= 2).all()
    starts_s = np.concatenate([[0], np.cumsum(ticks)[:-1]]) * 0.01
    assert np.abs(starts_s - times[shown]).max() <= 0.005 + 1e-9
    shown, ticks = shown_frames(np.arange(5) * 0.04)
    assert shown == [0, 1, 2, 3, 4]
    assert list(ticks) == [4] * 5


def test_pixels_are_square_and_the_blob_is_where_it_was() -> None:
    picture = np.asarray(list(pictures(blob()))[-1])
    height, width = picture.shape[:2]
    assert height % 2 == width % 2 == 0
    assert abs((height - 24) / width - 30 * 3 / (40 * 2)) < 0.01
    # Voxel 33 of 40 to the patient's left, 5 of 30 from the front.
    np.testing.assert_allclose(peak(picture), (5.5 / 30, 33.5 / 40), atol=0.02)


@pytest.mark.parametrize("turn", ["x down", "mirrored", "from below"])
def test_however_the_array_lies_the_patient_is_seen_alike(turn: str) -> None:
    """The same anatomy on differently ordered voxels gives the same picture."""
    series = blob()
    array, affine = series.array, np.array(series.affine)
    if turn == "x down":
        array = array.swapaxes(2, 3)
        affine[:, [0, 1]] = affine[:, [1, 0]]
    elif turn == "mirrored":
        array = array[..., ::-1]
        affine[:, 3] += 39 * affine[:, 0]
        affine[:, 0] *= -1
    else:
        array = array[:, :, ::-1]
        affine[:, 3] += 29 * affine[:, 1]
        affine[:, 1] *= -1
    turned = ImageSeries.from_any_handedness(array, affine, series.times_s)
    for one, other in zip(pictures(series), pictures(turned), strict=True):
        assert one.size == other.size
        assert np.abs(np.asarray(one, int) - np.asarray(other, int)).max() <= 2


@pytest.mark.parametrize(
    ("x", "y", "sides"),
    [((-1, 0, 0), (0, -1, 0), "RA"), ((0, 1, 0), (0, 0, 1), "AS"), ((1, 0, 0), (0, 0, -1), "RS")],
)
def test_sides_of_the_patient(x: tuple[int, ...], y: tuple[int, ...], sides: str) -> None:
    view = View.of(np.column_stack([x, y, np.cross(x, y)]).astype(float))
    assert view.left + view.top == sides


def test_the_marker_phantom_is_on_its_side() -> None:
    """The asymmetric phantom of the whole project: where its brightest quarter lies in the picture."""
    scene = MarkerScene()
    shape = (1, 64, 64)
    geometry = scene.geometry(shape)
    image = np.abs(scene.render(np.array([0.0]), shape))
    series = ImageSeries(image.astype(np.float32), geometry.affine, [0.0])
    picture = np.asarray(next(iter(pictures(series))), float)[:-26, :, 0]
    view = View.of(geometry.directions)
    expected = view.apply(series.array[0, 0])
    scaled = np.asarray(Image.fromarray(expected).resize(picture.shape[::-1], Image.Resampling.BICUBIC))
    assert np.corrcoef(scaled.ravel(), picture.ravel())[0, 1] > 0.95


def test_the_strip_tells_time_and_marks_synthetic_frames() -> None:
    plain, marked = pictures(blob(np.array([0.0, 0.1]), synthetic=[False, True]))
    amber = [(np.ptp(np.asarray(picture, int)[-24:], axis=-1) > 80).sum() for picture in (plain, marked)]
    assert amber[0] == 0
    assert amber[1] > 100
    first, second = (np.asarray(picture)[-24:, :100] for picture in pictures(blob(np.array([0.0, 0.1]))))
    assert (first != second).any(), "another time is another stamp"


def test_all_slices_are_shown() -> None:
    picture = list(pictures(blob(slices=5)))[-1]
    grey = np.asarray(picture)[:-26, :, 0]
    bright = grey > 0.8 * grey.max()
    height = len(grey)
    tiles = [
        column for row in np.array_split(bright[: height // 2 * 2], 2) for column in np.array_split(row, 3, axis=1)
    ]
    assert [bool(tile.any()) for tile in tiles] == [True] * 5 + [False]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg (Debian: ffmpeg) is not installed")
@pytest.mark.parametrize("suffix", [".avi", ".mov", ".mp4"])
def test_videos_of_another_tool(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"speech{suffix}"
    source = "testsrc=size=64x48:rate=25:duration=0.4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", path], check=True)
    series = dmr.read(path)
    assert series.array.shape == (10, 1, 48, 64)
    np.testing.assert_allclose(series.times_s - series.times_s[0], 0.04 * np.arange(10), atol=1e-3)
    assert "coloured" in " ".join(series.metadata["warnings"])
    assert series.array.max() > 200


def test_refused_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dmr.write(tmp_path / "a.mp4", blob())
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[:900])
    (tmp_path / "text.mp4").write_text("no picture" * 50)
    (tmp_path / "text.gif").write_text("no picture" * 50)
    for name in ("cut.mp4", "text.mp4", "text.gif"):
        with pytest.raises(InputError, match="not a readable") as caught:
            dmr.read(tmp_path / name)
        assert "\n" not in str(caught.value)
    for name in ("b.avi", "b.mov"):
        with pytest.raises(InputError, match=r"use \.mp4"):
            dmr.write(tmp_path / name, blob())
    with pytest.raises(InputError, match="one image series"):
        dmr.write(tmp_path / "b.gif", [blob(), blob()])
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 10}))
    with pytest.raises(ResourceError, match="cut out the part"):
        dmr.read(whole)


def test_without_pyav_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match="pip install av"):
        dmr.write(tmp_path / "a.mp4", blob())
    assert list(tmp_path.iterdir()) == []
    dmr.write(tmp_path / "a.gif", blob())
