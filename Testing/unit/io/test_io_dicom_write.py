"""Derived DICOM images: the way there and back, what other programs see, who is named, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_maker import cine
from marker_series import MARKER_RAS_MM, ORIENTATIONS, SPACING_MM, found_ras_mm, marker_series
from pydicom import config

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError

KINDS = (".dcm", ".dicom")
TIMES_S = np.array([0.0, 0.013, 0.0931, 1.75, 4000.0004])
PROVENANCE = {
    "software": "dynamic-mri-recon 9.9",
    "method": "locally-low-rank",
    "parameters": {"iterations": 30, "weight": 0.05},
    "simulated_acquisition": None,
}


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that break the standard are errors while writing."""
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.RAISE)


def marked(orientation: str = "oblique", slices: int = 5) -> ImageSeries:
    series = marker_series(orientation, TIMES_S, slices)
    synthetic = [False, True, False, False, False]
    return ImageSeries(
        series.array, series.affine, series.times_s, synthetic, metadata={"provenance": dict(PROVENANCE)}
    )


def files_of(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slices", [1, 5])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_there_and_back(orientation: str, slices: int, kind: str, tmp_path: Path) -> None:
    series = marked(orientation, slices)
    back = dmr.read(dmr.write(tmp_path / f"marker{kind}", series))
    for frame in back.array:
        assert np.abs(found_ras_mm(frame, back.affine) - MARKER_RAS_MM).max() < 0.1 * SPACING_MM.min()
    np.testing.assert_allclose(back.affine, series.affine, atol=1e-9)
    assert np.abs(back.times_s - series.times_s).max() < 1e-6
    assert np.abs(back.array - series.array).max() <= 0.5001 * series.array.max() / 65535
    np.testing.assert_array_equal(back.synthetic, series.synthetic)
    assert back.metadata["provenance"] == PROVENANCE
    assert "warnings" not in back.metadata


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("scale", "offset"), [(1e-9, 0.0), (3e7, 0.0), (2.0, -1.0), (0.0, 0.0), (0.0, 5.5)], ids=str)
def test_any_intensity_scale(scale: float, offset: float, kind: str, tmp_path: Path) -> None:
    array = (scale * np.random.default_rng(0).random((2, 1, 6, 7)) + offset).astype(np.float32)
    series = ImageSeries(array, np.eye(4), [0.0, 0.1])
    back = dmr.read(dmr.write(tmp_path / f"a{kind}", series))
    span = float(array.max()) - min(0.0, float(array.min()))
    assert np.abs(back.array - array).max() <= 0.501 * span / 65535 + 1e-6 * span


@pytest.mark.parametrize("kind", KINDS)
def test_whole_numbers_stay_exact_and_need_no_rescaling(kind: str, tmp_path: Path) -> None:
    array = np.random.default_rng(1).integers(-300, 4000, (2, 2, 5, 6)).astype(np.float32)
    path = dmr.write(tmp_path / f"a{kind}", ImageSeries(array, np.eye(4), [0.0, 0.1]))
    np.testing.assert_array_equal(dmr.read(path).array, array)


@pytest.mark.parametrize("kind", KINDS)
def test_one_frame_keeps_its_time(kind: str, tmp_path: Path) -> None:
    series = ImageSeries(np.ones((1, 2, 5, 6)), np.eye(4), [0.25])
    np.testing.assert_allclose(dmr.read(dmr.write(tmp_path / f"a{kind}", series)).times_s, [0.25])


@pytest.mark.parametrize("kind", KINDS)
def test_complex_images_are_written_as_magnitudes(kind: str, tmp_path: Path) -> None:
    series = ImageSeries(np.full((2, 1, 5, 6), 3 - 4j, np.complex64), np.eye(4), [0.0, 0.1])
    back = dmr.read(dmr.write(tmp_path / f"a{kind}", series))
    np.testing.assert_allclose(back.array, 5.0)
    assert "magnitude" in back.metadata["written_as"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_says_what_they_are(kind: str, tmp_path: Path) -> None:
    path = dmr.write(tmp_path / f"a{kind}", marked())
    headers = [pydicom.dcmread(file) for file in files_of(path)]
    assert len(headers) == (1 if kind == ".dcm" else 25)
    for header in headers:
        assert header.ImageType[0] == "DERIVED"
        assert header.ImageType[1] == ("PRIMARY" if kind == ".dcm" else "SECONDARY")
        for words in ("Locally low rank (locally-low-rank)", "iterations=30", "Not for diagnostic use."):
            assert words in header.DerivationDescription
        assert "not for diagnostic use" in header.SeriesDescription
        assert float(header.FrameTime) == pytest.approx(1e6 + 0.1)
        assert not header.PatientName
        assert not header.PatientID
    assert len({header.SOPInstanceUID for header in headers}) == len(headers)
    assert len({header.SeriesInstanceUID for header in headers}) == 1
    synthetic = [header.get("ImageComments", "") for header in headers]
    if kind == ".dcm":
        groups = headers[0].PerFrameFunctionalGroupsSequence
        synthetic = [group.FrameContentSequence[0].get("FrameComments", "") for group in groups]
    assert sum("Synthetic frame" in text for text in synthetic) == 5


def test_simulated_data_are_called_so(tmp_path: Path) -> None:
    provenance = {**PROVENANCE, "simulated_acquisition": {"trajectory": "radial"}}
    path = dmr.write(tmp_path / "a.dcm", marked().with_metadata(provenance=provenance))
    assert "simulated acquisition" in pydicom.dcmread(path).DerivationDescription


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is not installed")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slices", [1, 5])
def test_dciodvfy_finds_no_error(slices: int, kind: str, tmp_path: Path) -> None:
    """An independent validator of the standard's rules."""
    for file in files_of(dmr.write(tmp_path / f"a{kind}", marked(slices=slices)))[:7]:
        said = subprocess.run(["dciodvfy", file], capture_output=True, text=True, check=False).stderr
        assert "Image" in said
        assert [line for line in said.splitlines() if line.startswith("Error")] == []


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmdump (Debian: dcmtk) is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_dcmtk_reads_them(kind: str, tmp_path: Path) -> None:
    for file in files_of(dmr.write(tmp_path / f"a{kind}", marked()))[:7]:
        done = subprocess.run(["dcmdump", "+P", "0008,0008", file], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "DERIVED" in done.stdout


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_simpleitk_sees_the_marker_where_it_is(orientation: str, tmp_path: Path) -> None:
    """GDCM, which has its own idea of slices, positions and rescaling, on single images and on the multi-frame file."""
    series = marked(orientation)
    folder = dmr.write(tmp_path / "a.dicom", series)
    # By its file names: GDCM itself knows no time and would mix the frames.
    frame = [str(file) for file in files_of(folder) if "frame0003" in file.name]
    enhanced = sitk.ReadImage(str(dmr.write(tmp_path / "a.dcm", series)))
    assert enhanced.GetSize()[:2] == (26, 20)
    for image, volume in (
        (sitk.ReadImage(frame), slice(None)),
        (enhanced, slice(3 * 5, 4 * 5)),
    ):
        to_ras = np.diag([-1.0, -1.0, 1.0])
        affine = np.eye(4)
        affine[:3, :3] = to_ras @ np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
        affine[:3, 3] = to_ras @ np.array(image.GetOrigin())
        array = sitk.GetArrayFromImage(image)[volume]
        np.testing.assert_allclose(array, series.array[3], atol=0.51 * series.array.max() / 65535)
        assert np.abs(found_ras_mm(array, affine) - MARKER_RAS_MM).max() < 0.1 * SPACING_MM.min()


@pytest.mark.parametrize("kind", KINDS)
def test_patient_and_study_are_kept_only_when_asked(kind: str, tmp_path: Path) -> None:
    source = cine(tmp_path / "study", phases=2, slices=2, StudyInstanceUID="1.2.3.4.5", PatientID="P7")
    series = dmr.read(source)
    nameless = files_of(dmr.write(tmp_path / f"a{kind}", series))
    named = files_of(dmr.write(tmp_path / f"b{kind}", series, patient_from=source))
    assert all(b"Nobody" not in file.read_bytes() and b"1.2.3.4.5" not in file.read_bytes() for file in nameless)
    before = {pydicom.dcmread(file).SOPInstanceUID for file in source.rglob("*.dcm")}
    for file in named:
        header = pydicom.dcmread(file)
        assert (header.PatientName, header.PatientID, header.StudyInstanceUID) == ("Nobody", "P7", "1.2.3.4.5")
        assert header.SeriesInstanceUID != pydicom.dcmread(next(source.rglob("*.dcm"))).SeriesInstanceUID
        assert header.SOPInstanceUID not in before
        assert header.ImageType[0] == "DERIVED"


def test_a_broken_tag_of_the_source_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for mode in ("reading_validation_mode", "writing_validation_mode"):
        monkeypatch.setattr(config.settings, mode, config.IGNORE)
    source = cine(tmp_path / "study", phases=1, slices=1, StudyInstanceUID="1.2.3", PatientAge="sixty")
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.RAISE)
    header = pydicom.dcmread(dmr.write(tmp_path / "a.dcm", dmr.read(source), patient_from=source))
    assert header.PatientName == "Nobody"
    assert "PatientAge" not in header


def test_refused(tmp_path: Path) -> None:
    series = marked(slices=1)
    sheared = np.array(series.affine)
    sheared[:3, 1] += 0.3 * sheared[:3, 0]
    sentences: list[tuple[str, Any, dict[str, Any], str]] = [
        ("a.dcm", [series, series], {}, "one image series"),
        ("a.ima", series, {}, "not written"),
        ("a.dcm", ImageSeries(series.array, sheared, series.times_s), {}, "not at right angles"),
        ("a.dcm", series, {"patient_from": tmp_path / "none"}, "does not exist"),
        ("a.nii", series, {"patient_from": tmp_path}, "carry no patient"),
    ]
    for name, data, options, words in sentences:
        with pytest.raises(InputError, match=words):
            dmr.write(tmp_path / name, data, **options)
    for uid in ("1.2.3", "1.2.4"):
        cine(tmp_path / "two" / uid, phases=1, slices=1, StudyInstanceUID=uid)
    with pytest.raises(InputError, match="several studies"):
        dmr.write(tmp_path / "a.dicom", series, patient_from=tmp_path / "two")
    assert [path.name for path in tmp_path.iterdir()] == ["two"], "nothing is left of what was refused"


def test_a_folder_that_exists_is_never_replaced(tmp_path: Path) -> None:
    folder = dmr.write(tmp_path / "a.dicom", marked(slices=1))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(InputError, match="exists already"):
        dmr.write(folder, marked(slices=5))
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
