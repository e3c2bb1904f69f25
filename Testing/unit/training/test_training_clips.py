"""Clips: which frames and which persons they come from, and that validation sees none of training's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_training import moving_blob

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.config import Data, Phantoms, SeriesRule
from DynamicMRIReconLib.training.series_files import SeriesClips, find_files, series_clips
from DynamicMRIReconLib.training.streams import PhantomStream


def counting(frames: int = 30, size: tuple[int, int] = (18, 20), slices: int = 1) -> ImageSeries:
    """A series whose frame t is t + 1 all over."""
    values = np.arange(1, frames + 1, dtype=np.float32)
    array = np.broadcast_to(values[:, None, None, None], (frames, slices, *size))
    return ImageSeries(array, np.eye(4), 0.05 * np.arange(frames))


def seen(sources: list[SeriesClips], clip_frames: int) -> set[int]:
    """Numbers of the frames that any clip can have."""
    return {start + k for source in sources for start in source.starts for k in range(clip_frames)}


def test_a_clip_is_scaled_by_its_percentile() -> None:
    frames = np.linspace(0, 10, 2000, dtype=np.float32).reshape(2, 25, 40)
    clip = Clip.of(frames, np.array([0.0, 0.012]), "ramp")
    assert clip.frames.max() == 1.0
    np.testing.assert_allclose(clip.frames.numpy(), np.minimum(frames / np.percentile(frames, 99.9), 1), rtol=1e-6)
    np.testing.assert_allclose(clip.frame_times_ms.numpy(), [0, 12])
    for bad in (np.zeros((2, 4, 4)), np.full((2, 4, 4), np.nan)):
        with pytest.raises(InputError, match="leave it out"):
            Clip.of(bad, np.array([0.0, 1.0]), "bad")


def test_frame_ranges_keep_training_and_validation_apart(tmp_path: Path) -> None:
    io.write(tmp_path / "count.seq.nrrd", counting())
    rule = SeriesRule(files="count*", train=((0, 10), (12, 14)), validation=((20, 25),), frame_time_ms=7.0)
    training, validation = series_clips(find_files([tmp_path]), Data(series=(rule,)), 3)
    # [12, 14) is too short for three frames, and no clip spans two ranges
    assert seen(training, 3) == set(range(10))
    assert seen(validation, 3) == set(range(20, 25))
    clip = training[0].clip(0, 3, 16, np.random.default_rng(0))
    assert clip.frames.shape == (3, 16, 16)
    np.testing.assert_allclose(clip.frame_times_ms.numpy(), [0, 7, 14])
    # uniform frames: the number of each frame is its brightness
    first = int(clip.name.rsplit(" ", 1)[1])
    np.testing.assert_allclose(clip.frames[:, 8, 8].numpy(), np.arange(first + 1, first + 4) / (first + 3), rtol=1e-5)


def test_one_file_is_split_by_frames_and_several_by_files(tmp_path: Path) -> None:
    io.write(tmp_path / "a.seq.nrrd", counting())
    training, validation = series_clips(find_files([tmp_path]), Data(validation_share=0.2), 2)
    assert seen(validation, 2) == set(range(24, 30))
    assert seen(training, 2) == set(range(22))
    for name in "bcd":
        io.write(tmp_path / f"{name}.seq.nrrd", counting(slices=2 if name == "b" else 1))
    training, validation = series_clips(find_files([tmp_path]), Data(validation_share=0.2), 2)
    assert [source.name for source in training] == [
        "a.seq.nrrd",
        "b.seq.nrrd slice 1",
        "b.seq.nrrd slice 2",
        "c.seq.nrrd",
    ]
    assert [source.name for source in validation] == ["d.seq.nrrd"]
    assert [source.weight for source in training] == [1.0, 0.5, 0.5, 1.0]


def test_folders_are_searched_for_every_known_format(tmp_path: Path) -> None:
    inner = tmp_path / "study" / "more"
    inner.mkdir(parents=True)
    io.write(inner / "a.seq.nrrd", counting())
    io.write(tmp_path / "b.nii.gz", counting())
    (tmp_path / "notes.txt").write_text("nothing\n", encoding="utf-8")
    assert [path.name for path in find_files([tmp_path])] == ["b.nii.gz", "a.seq.nrrd"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="No image series"):
        find_files([tmp_path / "empty"])


def test_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    io.write(tmp_path / "short.seq.nrrd", counting(frames=4))
    paths = find_files([tmp_path])
    with pytest.raises(InputError, match=r"short.seq.nrrd has too few frames for training: clips have 6"):
        series_clips(paths, Data(), 6)
    with pytest.raises(InputError, match=r"short.seq.nrrd has 4 frames"):
        series_clips(paths, Data(series=(SeriesRule(train=((0, 5),)),)), 1)
    with pytest.raises(InputError, match=r"'long\*' in data.series matches no file"):
        series_clips(paths, Data(series=(SeriesRule(files="long*"),)), 1)
    training, validation = series_clips(paths, Data(series=(SeriesRule(weight=0),)), 6)
    assert not training
    assert not validation


def test_kspace_is_refused_with_what_to_do(tmp_path: Path) -> None:
    from DynamicMRIReconLib.data import KSpace

    samples = np.ones((4, 1, 1, 16, 16), np.complex64)
    io.write(tmp_path / "scan.npz", KSpace(samples, np.eye(4), 0.1 * np.arange(4)))
    with pytest.raises(InputError, match="no image series: reconstruct it first"):
        series_clips(find_files([tmp_path]), Data(), 1)


def test_phantoms_are_new_persons_and_the_same_ones_again() -> None:
    settings = Phantoms(reuse=2, pool=3)
    training, validation = PhantomStream(settings, "training"), PhantomStream(settings, "validation")
    persons = [training.person(number) for number in range(12)]
    assert persons[:6] == [*persons[:3], *persons[:3]]
    assert len(set(persons)) == 6
    assert len({validation.person(number) for number in range(12)}) == 12
    assert max(validation.person(10**5), 10**6) < min(persons)
    other = PhantomStream(settings, "training", seed=1)
    assert not {other.person(number) for number in range(10**4)} & {training.person(number) for number in range(10**4)}
    one, two = (PhantomStream(settings, "training").clip(7, 2, 32, np.random.default_rng(5)) for _ in range(2))
    assert bool((one.frames == two.frames).all())
    assert one.name == two.name
    assert one.frames.shape == (2, 32, 32)
    step_ms = float(one.frame_times_ms[1])
    assert settings.frame_time_ms[0] <= step_ms <= settings.frame_time_ms[1]


def test_the_middle_of_series_and_phantoms(tmp_path: Path) -> None:
    y, x = np.indices((20, 20), dtype=np.float32)
    array = np.broadcast_to(1 + x + 100 * y, (6, 1, 20, 20))
    io.write(tmp_path / "ramp.seq.nrrd", ImageSeries(array, np.eye(4), 0.05 * np.arange(6)))
    rule = SeriesRule(files="ramp*", train=((0, 4),), validation=((4, 6),), middle=0.5)
    training, _ = series_clips(find_files([tmp_path]), Data(series=(rule,)), 2)
    np.testing.assert_allclose(training[0].frames[0], (1 + x + 100 * y)[5:15, 5:15])
    whole, half = (
        PhantomStream(Phantoms(name="heart", middle=share), "validation").clip(0, 1, size, np.random.default_rng(0))
        for share, size in ((1.0, 48), (0.5, 24))
    )
    middle = whole.frames[:, 12:36, 12:36]
    scale = float(half.frames.mean() / middle.mean())
    assert half.frames.shape == (1, 24, 24)
    # each clip is clipped at its own brightest
    dark = np.asarray(half.frames) < 0.8
    np.testing.assert_allclose(half.frames[dark], (scale * middle)[dark], atol=0.02)


def test_an_oblong_series_is_cut_to_its_middle_square(tmp_path: Path) -> None:
    series = moving_blob(size=20)
    wide = np.pad(series.array, ((0, 0), (0, 0), (0, 0), (6, 6)))
    io.write(tmp_path / "wide.seq.nrrd", ImageSeries(wide, np.eye(4), series.times_s))
    source = series_clips(find_files([tmp_path]), Data(), 1)[0][0]
    np.testing.assert_array_equal(source.frames, series.array[:, 0])
