"""``info``: the same facts for programs and for people."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import Geometry, ImageSeries, KSpace
from DynamicMRIReconLib.io.describe import as_lines, describe
from DynamicMRIReconLib.io.sampling import sampling_kind

AFFINE = Geometry.from_parts((1.5, 1.5, 8), (-10, 20, 30)).affine


def shots(k: np.ndarray) -> KSpace:
    samples = np.ones((1, 2, *k.shape[:2]), np.complex64)
    return KSpace(samples, AFFINE, np.zeros(1), image_shape=(1, 32, 32), trajectory=k[None])


def test_kspace_is_described(tmp_path: Path) -> None:
    mask = np.zeros((4, 2, 16, 8), bool)
    mask[:, :, ::4] = True
    samples = np.ones((4, 3, 2, 16, 8), np.complex64) * mask[:, None]
    data = KSpace(samples, AFFINE, 0.5 + 0.04 * np.arange(4), mask=mask)
    path = io.write(tmp_path / "scan.h5", data)
    found = json.loads(json.dumps(io.info(path)))
    assert found["kind"] == "kspace"
    assert found["format"] == "ISMRMRD"
    assert [(axis["name"], axis["size"]) for axis in found["axes"]] == [
        ("frames", 4),
        ("coils", 3),
        ("z", 2),
        ("ky", 16),
        ("kx", 8),
    ]
    assert found["matrix"] == [2, 16, 8]
    np.testing.assert_allclose(found["spacing_mm"], [1.5, 1.5, 8])
    np.testing.assert_allclose(found["origin_mm"], [-10, 20, 30], atol=1e-4)
    assert found["times_s"] == pytest.approx({"first": 0.5, "last": 0.62, "frame_interval_s": 0.04})
    assert found["sampling"] == "cartesian"
    assert found["acceleration"] == pytest.approx(4)
    assert found["coils"] == 3
    assert found["memory_bytes"] == samples.nbytes + mask.nbytes
    text = "\n".join(io.info_text(found))
    for part in ("k-space", "frames 4", "40 ms apart", "1.5 x 1.5 x 8 mm", "acceleration 4", "coils        3"):
        assert part in text


def test_series_and_stacks_are_described() -> None:
    series = ImageSeries(np.ones((2, 3, 4, 5)), AFFINE, np.array([0.0, 0.1]), np.array([False, True]))
    one = describe(series, path="a.npz", format_name="NumPy archive")
    assert one["kind"] == "series"
    assert one["synthetic_frames"] == 1
    both = json.loads(json.dumps(describe([series, series], path="a", format_name="DICOM")))
    assert both["kind"] == "stacks"
    assert len(both["stacks"]) == 2
    assert "stack 2" in as_lines(both)


def test_sampling_is_told_from_the_trajectory() -> None:
    radius = np.linspace(-16, 16, 64, endpoint=False)[:, None]
    angle = np.arange(5)[:, None, None] * 1.9
    unit = np.concatenate([np.cos(angle), np.sin(angle)], -1)
    assert sampling_kind(shots(radius * unit)) == "radial"
    assert sampling_kind(shots(radius[32:] * unit)) == "radial"
    turn = np.linspace(0, 6 * np.pi, 64)[None] + np.arange(5)[:, None]
    spiral = (turn - turn[:, :1])[..., None] / (6 * np.pi) * 16 * np.stack([np.cos(turn), np.sin(turn)], -1)
    assert sampling_kind(shots(spiral)) == "spiral"
    assert sampling_kind(shots(np.random.default_rng(0).uniform(-16, 16, (5, 64, 2)))) == "non-cartesian"


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, DynamicMRIReconLib.io as io; io.formats.all_formats(); "
        "heavy = {'torch', 'h5py', 'ismrmrd', 'nibabel', 'nrrd', 'pydicom', 'SimpleITK'} & set(sys.modules); "
        "assert not heavy, heavy; assert callable(io.info) and callable(io.read) and callable(io.write)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3], timeout=60)
