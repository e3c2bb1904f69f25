"""A stretch of the frames: the same frames as cut by hand, in a job, and refused where there are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.frame_range import only_frames

rng = np.random.default_rng(0)


def cartesian(frames: int = 6) -> KSpace:
    samples = rng.normal(size=(frames, 2, 1, 8, 10)) + 1j * rng.normal(size=(frames, 2, 1, 8, 10))
    return KSpace(samples.astype(np.complex64), np.eye(4), 0.05 * np.arange(frames))


def radial(frames: int = 6) -> KSpace:
    samples = rng.normal(size=(frames, 2, 5, 16)).astype(np.complex64)
    trajectory = rng.uniform(-4, 4, (frames, 5, 16, 2)).astype(np.float32)
    density = np.ones((frames, 5, 16), np.float32)
    return KSpace(
        samples, np.eye(4), 0.05 * np.arange(frames), trajectory=trajectory, density=density, image_shape=(1, 8, 8)
    )


@pytest.mark.parametrize("make", [cartesian, radial])
def test_k_space(make: Any) -> None:
    whole = make()
    part = only_frames(whole, 2, 5)
    assert isinstance(part, KSpace)
    np.testing.assert_array_equal(part.samples, whole.samples[2:5])
    np.testing.assert_array_equal(part.times_s, whole.times_s[2:5])
    for name in ("mask", "trajectory", "density"):
        array = getattr(whole, name)
        assert (getattr(part, name) is None) == (array is None)
        if array is not None:
            np.testing.assert_array_equal(getattr(part, name), array[2:5])
    assert part.matrix == whole.matrix


def test_a_series_keeps_its_marks_and_parts() -> None:
    array = rng.normal(size=(4, 1, 3, 5)).astype(np.float32)
    series = ImageSeries(array, np.eye(4), np.arange(4.0), [False, True, False, True], parts={"low": array * 2})
    part = only_frames(series, 1, 3)
    assert isinstance(part, ImageSeries)
    np.testing.assert_array_equal(part.synthetic, [True, False])
    np.testing.assert_array_equal(part.parts["low"], 2 * array[1:3])


@pytest.mark.parametrize(("first", "end"), [(0, 7), (3, 3), (-1, 2), (5, 2)])
def test_frames_that_do_not_exist(first: int, end: int) -> None:
    with pytest.raises(InputError, match="there are 6"):
        only_frames(cartesian(), first, end)
    with pytest.raises(InputError, match="Stacks"):
        only_frames([], 0, 1)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan = dmr.write(tmp_path / "scan.npz", cartesian())
    words = ["recon", str(scan), "--method", "gridding", "--device", "cpu", "--output", str(tmp_path / "o.npz")]
    assert main([*words, "--frames", "2:5"]) == 0
    result = dmr.read(tmp_path / "o.npz")
    np.testing.assert_allclose(result.times_s, [0.1, 0.15, 0.2])
    assert "--frames 2:5" in result.metadata["provenance"]["command"]
    assert json.dumps(result.metadata["provenance"]["frames"]) == "[2, 5]"
    for wrong in ("2", "a:b", "4:9"):
        assert main([*words, "--frames", wrong]) == 2
        assert "rames" in capsys.readouterr().err
