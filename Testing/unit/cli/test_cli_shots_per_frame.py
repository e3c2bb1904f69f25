"""``--shots-per-frame`` for ``info`` and ``recon``: the frames asked for, at their times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.acquisition.trajectories import golden_angle_radial
from DynamicMRIReconLib.data import KSpace

SPOKES, SHOT_S = 30, 0.004


@pytest.fixture
def spokes_file(tmp_path: Path) -> Path:
    """One frame of golden-angle spokes."""
    samples = np.ones((1, 2, SPOKES, 32), np.complex64)
    data = KSpace(
        samples,
        np.eye(4),
        np.array([SPOKES * SHOT_S / 2]),
        image_shape=(1, 16, 16),
        trajectory=golden_angle_radial(1, SPOKES, 16),
        metadata={"repetition_time_s": SHOT_S},
    )
    return io.write(tmp_path / "spokes.h5", data)


def test_info_shows_the_frames_asked_for(call: Any, spokes_file: Path) -> None:
    assert json.loads(call("info", spokes_file, "--json").out)["frames"] == 1
    shown = json.loads(call("info", spokes_file, "--shots-per-frame", 10, "--json").out)
    assert shown["frames"] == 3
    assert shown["times_s"]["frame_interval_s"] == pytest.approx(0.040, abs=1e-3)


def test_recon_makes_the_frames_asked_for(call: Any, spokes_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.seq.nrrd"
    words = ("--method", "gridding", "--device", "cpu", "--shots-per-frame", 10, "--output", output)
    outcome = call("recon", spokes_file, *words)
    assert (outcome.code, outcome.err) == (0, "")
    np.testing.assert_allclose(io.read(output).times_s, [0.02, 0.06, 0.10], atol=1e-3)


@pytest.mark.parametrize(("number", "told"), [("0", "at least 1"), ("many", "invalid int"), ("31", "only 30 shots")])
def test_impossible_numbers_are_one_line(call: Any, spokes_file: Path, number: str, told: str) -> None:
    outcome = call("info", spokes_file, "--shots-per-frame", number)
    assert outcome.code == 2
    assert told in outcome.err
    assert outcome.err.count("\n") == 1
