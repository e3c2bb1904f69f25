"""``simulate`` and teaching mode: an acquisition of a phantom or of any series, and its reconstruction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.jobs.job import Job

SMALL = ["--matrix", 28, "--frames", 3, "--coils", 2]


@pytest.mark.parametrize(
    ("scene", "trajectory", "name"),
    [
        ("heart", ["radial", "--shots", 5], "k.h5"),
        ("vocal-tract", ["spiral", "--shots", 4], "k.npz"),
        ("heart", ["cartesian", "--acceleration", 2], "k.cfl"),
    ],
)
def test_phantoms_are_acquired(call: Any, tmp_path: Path, scene: str, trajectory: list[Any], name: str) -> None:
    output, truth = tmp_path / name, tmp_path / "truth.seq.nrrd"
    rest = ["--trajectory", *trajectory, *SMALL, "--noise", 0.0, "--output", output, "--truth", truth]
    outcome = call("simulate", scene, *rest)
    assert (outcome.code, outcome.err) == (0, "")
    assert str(output) in outcome.out
    series = dmr.read(truth)
    assert series.array.shape == (3, 1, 28, 28)
    kspace = dmr.read(output)
    assert (kspace.frames, kspace.coils, kspace.matrix) == (3, 2, (1, 28, 28))
    if not name.endswith(".cfl"):
        np.testing.assert_allclose(kspace.affine, series.affine, atol=1e-3)
        np.testing.assert_allclose(kspace.times_s, series.times_s, atol=1e-3)


def test_the_seed_decides(call: Any, tmp_path: Path) -> None:
    def samples(seed: int) -> np.ndarray:
        rest = ["--trajectory", "radial", *SMALL, "--shots", 4, "--seed", seed, "--output", tmp_path / "k.npz"]
        assert call("simulate", "heart", *rest).code == 0
        return dmr.read(tmp_path / "k.npz").samples

    first = samples(1)
    assert first.shape[2] == 4
    np.testing.assert_array_equal(samples(1), first)
    assert not np.array_equal(samples(2), first)


def test_a_series_is_acquired_with_other_settings(call: Any, series_file: Path, tmp_path: Path) -> None:
    rest = ["--trajectory", "cartesian", "--acceleration", 2, "--set", "include_coil_maps=true", "--coils", 3]
    assert call("simulate", series_file, *rest, "--output", tmp_path / "k.npz").code == 0
    kspace = dmr.read(tmp_path / "k.npz")
    assert kspace.frames == 6
    assert kspace.coil_maps is not None
    assert kspace.acceleration == pytest.approx(2.0, rel=0.2)


def test_teaching_mode_reconstructs_and_compares_with_the_truth(call: Any, series_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    simulate = {"trajectory": "cartesian", "acceleration": 1.0, "coils": 2, "noise": 0.0, "include_coil_maps": True}
    Job(method="cg-sense", inputs=[series_file], simulate=simulate, device="cpu", seed=5).save(folder)
    outcome = call("recon", "--job", folder, "--events")
    assert outcome.code == 0, outcome.err
    done = json.loads(outcome.out.splitlines()[-1])
    assert done["metrics"]["nrmse"] < 0.01
    origin = dmr.read(done["path"]).metadata["provenance"]
    assert origin["simulated_acquisition"]["acceleration"] == 1.0
    assert origin["simulated_acquisition"]["seed"] == 5
    assert "--simulate trajectory=cartesian,acceleration=1.0" in origin["command"]


def test_teaching_mode_needs_a_series(call: Any, kspace_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    Job(method="cg-sense", inputs=[kspace_file], simulate={"trajectory": "radial"}, device="cpu").save(folder)
    outcome = call("recon", "--job", folder, "--events")
    assert outcome.code == 2
    assert "needs an image series" in outcome.err
