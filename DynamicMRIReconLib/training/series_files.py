"""Clips of image series in files: which files, which frames for training and which for validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io import formats
from DynamicMRIReconLib.phantoms.recent import Recent
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.config import Data, SeriesRule

DEFAULT_RULE = SeriesRule()


@dataclass(frozen=True)
class SeriesClips:
    """Clips out of some frame ranges of one slice of a series.

    Attributes
    ----------
    frames
        (T, H, W) float32 magnitudes of the whole series, H = W.
    times_s
        (T,) seconds.
    starts
        First frames that a clip may have.
    weight
        How often this source is drawn, compared to others.
    """

    name: str
    frames: NDArray[np.float32]
    times_s: NDArray[np.float64]
    starts: tuple[int, ...]
    weight: float
    cyclic: bool = False
    _whole: Recent[Clip] = field(default_factory=lambda: Recent(2), repr=False, compare=False)

    def clip(self, number: int, frames: int, matrix: int, random: np.random.Generator) -> Clip:
        """A random clip of ``frames`` frames, or all of a cyclic series, resized to ``matrix x matrix``."""
        if self.cyclic:
            return self._whole.get(
                matrix,
                lambda: Clip.of(
                    resized(self.frames, matrix), self.times_s - self.times_s[0], f"{self.name}, one beat", cyclic=True
                ),
            )
        start = int(random.choice(self.starts))
        chosen = slice(start, start + frames)
        images = resized(self.frames[chosen], matrix)
        return Clip.of(images, self.times_s[chosen] - self.times_s[start], f"{self.name}, frame {start}")


def resized(frames: NDArray[np.float32], matrix: int) -> NDArray[np.float32]:
    """(T, y, x) -> (T, matrix, matrix), bilinear, without smoothing, as the paper's images were."""
    if frames.shape[-2:] == (matrix, matrix):
        return frames
    stack = torch.from_numpy(np.ascontiguousarray(frames))[:, None]
    found: NDArray[np.float32] = torch.nn.functional.interpolate(stack, (matrix, matrix), mode="bilinear")[:, 0].numpy()
    return found


def find_files(folders: list[Path]) -> list[Path]:
    """The files and DICOM folders below ``folders`` that a reader knows, sorted.

    Raises
    ------
    InputError
        If a folder does not exist, or there is nothing known in it.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.exists():
            raise InputError(f"--data {folder} does not exist: check the name.")
        inside = _known(folder)
        if not inside:
            raise InputError(f"No image series was found in {folder}: known are {', '.join(formats.suffixes())}.")
        found += inside
    return sorted(set(found))


def _known(path: Path) -> list[Path]:
    if path.name.startswith("."):
        return []
    try:
        formats.for_reading(path)
    except InputError:
        return [one for inside in sorted(path.iterdir()) for one in _known(inside)] if path.is_dir() else []
    return [path]


def series_clips(paths: list[Path], settings: Data, clip_frames: int) -> tuple[list[SeriesClips], list[SeriesClips]]:
    """Training and validation sources of the files.

    A rule with ranges splits each of its files by frames. Of the other files, ``validation_share`` (at least one, the
    last by name) are for validation if there are three or more; of one or two files the last ``validation_share`` of
    the frames, with ``clip_frames`` frames left out before it.

    Raises
    ------
    InputError
        If a file is no series, is too short, or a range lies outside of it; or if a rule matches no file.
    """
    chosen = [(path, rule) for path in paths for rule in _rules(path, settings.series)]
    for rule in settings.series:
        if not any(fnmatch(path.name, rule.files) for path in paths):
            raise InputError(
                f"The rule for {rule.files!r} in data.series matches no file of --data: correct its pattern."
            )
    free = [path for path, rule in chosen if not rule.train and not rule.validation and rule.weight > 0]
    held_out = free[-max(1, round(settings.validation_share * len(free))) :] if len(free) >= 3 else []
    training: list[SeriesClips] = []
    validation: list[SeriesClips] = []
    for path, rule in chosen:
        if rule.weight == 0:
            continue
        series = _read(path, rule)
        if rule.cyclic and (rule.train or rule.validation):
            raise InputError(f"The rule for {rule.files!r} in data.series has frame ranges: a whole beat has none.")
        for_training, for_validation = _ranges(series.frames, rule, settings, clip_frames, path in held_out, len(free))
        for use, ranges, sources in (
            ("training", for_training, training),
            ("validation", for_validation, validation),
        ):
            if ranges:
                sources += _of_ranges(path, rule, series, ranges, clip_frames, use)
    return training, validation


def _rules(path: Path, rules: tuple[SeriesRule, ...]) -> list[SeriesRule]:
    return [rule for rule in rules if fnmatch(path.name, rule.files)] or [DEFAULT_RULE]


def _read(path: Path, rule: SeriesRule) -> ImageSeries:
    options = {name: value for name in ("axes", "variable") if (value := getattr(rule, name)) is not None}
    series: Any = io.read(path, **options)
    if not isinstance(series, ImageSeries):
        raise InputError(
            f"{path} is no image series: reconstruct it first, or give it a rule with weight = 0 in data.series."
        )
    return series.magnitude()


def _ranges(
    frames: int, rule: SeriesRule, settings: Data, clip_frames: int, held_out: bool, free_files: int
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    if rule.cyclic and free_files < 3:
        raise InputError(
            "Of whole beats (data.series, cyclic) three files or more are needed: some are for validation."
        )
    if rule.train or rule.validation:
        return rule.train, rule.validation
    if free_files >= 3:
        return ((), ((0, frames),)) if held_out else (((0, frames),), ())
    first = frames - max(clip_frames, round(settings.validation_share * frames))
    return ((0, first - clip_frames),), ((first, frames),)


def _of_ranges(
    path: Path,
    rule: SeriesRule,
    series: ImageSeries,
    ranges: tuple[tuple[int, int], ...],
    clip_frames: int,
    use: str,
) -> list[SeriesClips]:
    if any(end > series.frames for _, end in ranges):
        raise InputError(f"{path.name} has {series.frames} frames: its rule in data.series asks for more.")
    starts = (
        (0,) if rule.cyclic else tuple(start for first, end in ranges for start in range(first, end - clip_frames + 1))
    )
    if not starts:
        raise InputError(
            f"{path.name} has too few frames for {use}: clips have {clip_frames} frames; leave it out with weight = 0."
        )
    times_s = series.times_s
    if rule.frame_time_ms is not None:
        times_s = 1e-3 * rule.frame_time_ms * np.arange(series.frames, dtype=np.float64)
    slices, (height, width) = series.array.shape[1], series.array.shape[2:]
    side = round(rule.middle * min(height, width))
    top, left = (height - side) // 2, (width - side) // 2
    names = [path.name if slices == 1 else f"{path.name} slice {z + 1}" for z in range(slices)]
    square = np.asarray(series.array[:, :, top : top + side, left : left + side], np.float32)
    return [
        SeriesClips(name, np.ascontiguousarray(square[:, z]), times_s, starts, rule.weight / slices, rule.cyclic)
        for z, name in enumerate(names)
    ]
