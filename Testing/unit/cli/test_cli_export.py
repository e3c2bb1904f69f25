"""``export``: one series into several formats, nothing replaced silently, a patient only when asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

import DynamicMRIReconLib as dmr

SAMPLE = Path(__file__).parents[3] / "Resources" / "SampleData" / "cine_sax"


def test_every_format_at_once(call: Any, series_file: Path, tmp_path: Path) -> None:
    names = ("a.dcm", "a.dicom", "a.mp4", "a.gif", "a.nii.gz", "a.npz")
    outcome = call("export", series_file, "--output", *(tmp_path / name for name in names))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("6 frames -> ")
    original = dmr.read(series_file)
    for name in names:
        back = dmr.read(tmp_path / name)
        assert back.frames == 6
        np.testing.assert_allclose(back.times_s, original.times_s, atol=1e-3)
    for name in ("a.dcm", "a.dicom"):
        np.testing.assert_allclose(dmr.read(tmp_path / name).array, original.array, atol=1e-5)


def test_recon_writes_dicom(call: Any, kspace_file: Path, tmp_path: Path) -> None:
    for name in ("out.dcm", "out.dicom"):
        outcome = call("recon", kspace_file, "--method", "gridding", "--device", "cpu", "--output", tmp_path / name)
        assert (outcome.code, outcome.err) == (0, "")
        back = dmr.read(tmp_path / name)
        assert back.metadata["provenance"]["method"] == "gridding"
        np.testing.assert_allclose(back.times_s, [0.0, 0.05, 0.1], atol=1e-6)


def test_nothing_is_replaced_silently(call: Any, series_file: Path, tmp_path: Path, unchanged: Any) -> None:
    (tmp_path / "a.gif").write_bytes(b"precious")
    unchanged()
    outcome = call("export", series_file, "--output", tmp_path / "b.nii", tmp_path / "a.gif")
    assert outcome.code == 2
    assert "exists already" in outcome.err
    assert unchanged()
    assert call("export", series_file, "--output", tmp_path / "a.gif", "--overwrite").code == 0
    assert dmr.read(tmp_path / "a.gif").frames == 6


def test_the_patient_only_when_asked(call: Any, series_file: Path, tmp_path: Path) -> None:
    source = next(SAMPLE.glob("*.dcm"))
    study = pydicom.dcmread(source).StudyInstanceUID
    assert call("export", series_file, "--output", tmp_path / "a.dcm").code == 0
    assert call("export", series_file, "--output", tmp_path / "b.dcm", "--patient-from", source).code == 0
    assert pydicom.dcmread(tmp_path / "a.dcm").StudyInstanceUID != study
    assert pydicom.dcmread(tmp_path / "b.dcm").StudyInstanceUID == study


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "a.xyz"], "can be written"),
        (["--output", "a.gif", "--patient-from", SAMPLE], "is for DICOM output"),
        (["--output", "a.dcm", "--patient-from", "none"], "does not exist"),
        (["--output", "none/a.dcm"], "does not exist"),
    ],
)
def test_refusals(call: Any, series_file: Path, tmp_path: Path, monkeypatch: Any, words: list[Any], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = call("export", series_file, *words)
    assert outcome.code == 2
    assert said in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == [series_file.name]
