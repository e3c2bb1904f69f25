"""A heart in a series is found, something else that moves is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.acquisition.degradation import degraded
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.common.heart_facts import heart_facts
from DynamicMRIReconLib.phantoms.heart import HeartScene
from DynamicMRIReconLib.phantoms.vocal_tract import VocalTractScene

ROOT = Path(__file__).resolve().parents[3]


def series(scene: Any, times_s: np.ndarray, voxel_mm: float = 2.7, size: int = 96) -> ImageSeries:
    array = np.abs(scene.render(times_s, (1, size, size))).astype(np.float32)
    return ImageSeries(array, np.diag([voxel_mm, voxel_mm, 8, 1]), times_s)


@pytest.mark.parametrize(("beats", "frames"), [(1, 20), (3, 60)])
def test_beats_of_a_phantom(beats: int, frames: int) -> None:
    scene = HeartScene(2, respiration_mm=0)
    found = heart_facts(series(scene, beats * scene.cycle.period_s / frames * np.arange(frames)))
    assert found is not None
    assert found["beats"] == pytest.approx(beats, abs=0.05)
    assert found["beat_s"] == pytest.approx(scene.cycle.period_s, rel=0.02)
    assert found["scales"] == [2]


@pytest.mark.parametrize(
    ("voxel_mm", "scales"), [(1.4, []), (2.7, [2]), (4.0, [2, 3]), (5.3, [4]), (8.0, [4]), (12.0, [])]
)
def test_scales_are_those_whose_model_has_seen_such_voxels(voxel_mm: float, scales: list[int]) -> None:
    scene = HeartScene(1)
    found = heart_facts(series(scene, scene.cycle.period_s / 20 * np.arange(20), voxel_mm))
    assert found is not None
    assert found["scales"] == scales


def test_the_real_cine_made_coarse_and_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cine = dmr.read(ROOT / "Resources" / "SampleData" / "cine_sax")
    coarse = ImageSeries(degraded(cine.array, 2), np.diag([2.73, 2.73, 10, 1]), cine.times_s)
    path = dmr.write(tmp_path / "coarse.npz", coarse)
    assert main(["info", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["heart"]
    assert found == heart_facts(coarse)
    assert found["scales"] == [2]
    assert found["beat_s"] == pytest.approx(0.95, abs=0.1)
    assert main(["info", str(path)]) == 0
    assert f"beats        1, {found['beat_s']:.3f} s each" in capsys.readouterr().out


def test_other_series_have_no_heart() -> None:
    scene = HeartScene(0)
    beat = scene.cycle.period_s / 20 * np.arange(20)
    assert heart_facts(series(VocalTractScene(0), 0.024 * np.arange(40))) is None
    # its end looks like its beginning, but what is between is no beat
    assert heart_facts(series(VocalTractScene(2), 0.04 * np.arange(30))) is None
    still = ImageSeries(np.ones((20, 1, 16, 16), np.float32), np.eye(4), beat)
    assert heart_facts(still) is None
    assert heart_facts(series(scene, beat[:6])) is None, "too few frames"
    assert heart_facts(series(scene, beat[:9])) is None, "it does not come back"
    slow = series(scene, beat)
    assert heart_facts(ImageSeries(slow.array, slow.affine, 10 * slow.times_s)) is None, "9 s are no heartbeat"
    long = np.broadcast_to(np.float32(1), (4000, 1, 8, 8))
    assert heart_facts(ImageSeries(long, np.eye(4), np.arange(4000) / 40)) is None


def test_torch_is_not_loaded() -> None:
    """The panel asks while the user looks at it."""
    code = (
        "import sys, numpy as np; from DynamicMRIReconLib.data import ImageSeries;"
        "from DynamicMRIReconLib.methods.common.heart_facts import heart_facts, seen_scales;"
        "s = ImageSeries(np.random.rand(9, 1, 8, 8).astype(np.float32), np.eye(4), np.arange(9) / 20);"
        "heart_facts(s); seen_scales(s); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
