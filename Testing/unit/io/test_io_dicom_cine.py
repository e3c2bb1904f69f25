"""DICOM cine: order of slices and phases, times, positions, rescaling, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dicom_maker
import numpy as np
import pytest
from dicom_maker import COLUMN, NORMAL, ORIGIN_LPS, ROW, cine, classic, enhanced, value
from pydicom.data import get_testdata_file

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.errors import InputError

SAMPLE = Path(__file__).parents[3] / "Resources" / "SampleData" / "cine_sax"


def warnings_of(series: Any) -> str:
    return " ".join(series.metadata.get("warnings", []))


def expected_affine(gap_mm: float) -> np.ndarray:
    lps = np.eye(4)
    between_rows, between_columns = dicom_maker.PIXEL_SPACING
    lps[:3] = np.column_stack([ROW * between_columns, COLUMN * between_rows, NORMAL * gap_mm, ORIGIN_LPS])
    return np.diag([-1.0, -1, 1, 1]) @ lps


def test_slices_by_position_and_phases_by_time(tmp_path: Path) -> None:
    series = dmr.read(cine(tmp_path / "study"))
    assert series.array.shape == (4, 3, 7, 9)
    for phase in range(4):
        for slice_ in range(3):
            assert series.array[phase, slice_, 2, 3] == value(phase, slice_)
    np.testing.assert_allclose(series.times_s, 0.025 + 0.0505 * np.arange(4))
    np.testing.assert_allclose(series.affine, expected_affine(8.0), atol=1e-9)
    assert series.metadata["times_from"] == "TriggerTime"
    assert not warnings_of(series)


def test_nothing_that_names_the_patient_is_kept(tmp_path: Path) -> None:
    assert "Nobody" not in str(dmr.read(cine(tmp_path / "study")).metadata)


def test_one_slice_is_as_thick_as_it_says(tmp_path: Path) -> None:
    series = dmr.read(cine(tmp_path / "study", slices=1))
    np.testing.assert_allclose(series.affine, expected_affine(6.0), atol=1e-9)


def test_one_file_without_a_telling_name(tmp_path: Path) -> None:
    series = dmr.read(classic(tmp_path / "IM0001", 2, 1))
    assert series.array.shape == (1, 1, 7, 9)
    assert series.times_s[0] == 0
    assert not warnings_of(series)


@pytest.mark.parametrize(
    ("tags", "source", "times"),
    [
        ({"FrameTime": 40.0}, "FrameTime", [0, 40, 80]),
        ({"AcquisitionTime": ["101010.25", "101010.3125", "101011"]}, "AcquisitionTime", [0, 62.5, 750]),
        ({"AcquisitionTime": ["235959.5", "235959.75", "235959.8"]}, "AcquisitionTime", [0, 250, 300]),
    ],
)
def test_other_times(tags: dict[str, Any], source: str, times: list[float], tmp_path: Path) -> None:
    for phase in range(3):
        own = {name: content[phase] if isinstance(content, list) else content for name, content in tags.items()}
        classic(tmp_path / "study" / f"{9 - phase}.dcm", phase, 0, TriggerTime=None, **own)
    series = dmr.read(tmp_path / "study")
    assert series.metadata["times_from"] == source
    np.testing.assert_allclose(series.times_s - series.times_s[0], np.array(times) / 1000, atol=1e-9)
    np.testing.assert_array_equal(series.array[:, 0, 2, 3], [value(phase, 0) for phase in range(3)])


def test_the_caller_may_choose_acquisition_times(tmp_path: Path) -> None:
    """Real-time cine: the trigger time starts again with each heartbeat."""
    for phase, trigger in enumerate((400.0, 500.0, 10.0, 110.0)):
        classic(tmp_path / "rt" / f"{phase}.dcm", phase, 0, TriggerTime=trigger, AcquisitionTime=f"10101{phase}.5")
    by_trigger = dmr.read(tmp_path / "rt")
    assert "acquisition" in warnings_of(by_trigger)
    assert by_trigger.array[0, 0, 2, 3] == value(2, 0)
    series = dmr.read(tmp_path / "rt", times_from="acquisition")
    np.testing.assert_allclose(series.times_s, [0, 1, 2, 3])
    np.testing.assert_array_equal(series.array[:, 0, 2, 3], [value(phase, 0) for phase in range(4)])


def test_slices_measured_one_after_the_other_share_their_time(tmp_path: Path) -> None:
    for slice_ in range(2):
        for phase in range(3):
            stamp = f"1010{10 + 30 * slice_}.{250 + 50 * phase}"
            name = f"{slice_}{phase}.dcm"
            classic(tmp_path / "study" / name, phase, slice_, TriggerTime=None, AcquisitionTime=stamp)
    np.testing.assert_allclose(dmr.read(tmp_path / "study").times_s, [0, 0.05, 0.1], atol=1e-9)


def test_without_times_the_order_is_told(tmp_path: Path) -> None:
    series = dmr.read(cine(tmp_path / "study", TriggerTime=None))
    np.testing.assert_allclose(series.times_s, [0, 1, 2, 3])
    assert "no frame times" in warnings_of(series)
    assert series.array[2, 1, 2, 3] == value(2, 1)
    with pytest.raises(InputError, match="no TriggerTime"):
        dmr.read(tmp_path / "study", times_from="physiology")


def test_heartbeats_of_different_length_are_told(tmp_path: Path) -> None:
    for slice_, beat in enumerate((50.0, 60.0)):
        for phase in range(5):
            classic(tmp_path / "study" / f"{slice_}{phase}.dcm", phase, slice_, TriggerTime=beat * (phase + 0.5))
    series = dmr.read(tmp_path / "study")
    np.testing.assert_allclose(series.times_s, 0.055 * (np.arange(5) + 0.5))
    assert "45 ms apart" in warnings_of(series)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("timing", "source", "times"),
    [
        ("trigger", "TriggerTime", [0.0125, 0.0525, 0.0925]),
        ("reference", "AcquisitionTime", [0, 0.04, 0.08]),
        ("position", "none", [0, 1, 2]),
    ],
)
def test_enhanced(timing: str, source: str, times: list[float], shared: bool, tmp_path: Path) -> None:
    series = dmr.read(enhanced(tmp_path / "many.dcm", timing=timing, shared=shared))
    assert series.array.shape == (3, 2, 7, 9)
    for phase in range(3):
        for slice_ in range(2):
            assert series.array[phase, slice_, 2, 3] == value(phase, slice_, slope=1.0 + phase, intercept=3.0)
    np.testing.assert_allclose(series.times_s, times, atol=1e-9)
    np.testing.assert_allclose(series.affine, expected_affine(8.0), atol=1e-9)
    assert series.metadata["times_from"] == source


def two_series(folder: Path) -> Path:
    for phase in range(2):
        classic(folder / "a" / f"{phase}.dcm", phase, 0)
        classic(folder / "b" / f"{phase}.dcm", phase, 1, SeriesInstanceUID="1.2.3.4", SeriesDescription="scout")
    return folder


def test_several_series_are_listed_and_chosen_by_name(tmp_path: Path) -> None:
    folder = two_series(tmp_path / "study")
    with pytest.raises(InputError) as caught:
        dmr.read(folder)
    for part in (
        "2 series",
        "'cine'",
        "'scout'",
        "folder a",
        "folder b",
        "1.2.3.4",
        dicom_maker.SERIES_UID,
        "variable",
    ):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    for name in ("scout", "1.2.3.4"):
        assert dmr.read(folder, variable=name).array[1, 0, 2, 3] == value(1, 1)
    assert dmr.read(folder / "a").array[1, 0, 2, 3] == value(1, 0)
    with pytest.raises(InputError, match="no series called 'other'"):
        dmr.read(folder, variable="other")


def test_magnitude_and_phase_images_of_one_series(tmp_path: Path) -> None:
    for phase in range(2):
        classic(tmp_path / "study" / f"m{phase}.dcm", phase, 0)
        classic(tmp_path / "study" / f"p{phase}.dcm", phase, 1, ImageType=["ORIGINAL", "PRIMARY", "P"])
    with pytest.raises(InputError, match="ORIGINAL/PRIMARY/P"):
        dmr.read(tmp_path / "study")
    assert dmr.read(tmp_path / "study", variable="P").array[0, 0, 2, 3] == value(0, 1)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"ImageOrientationPatient": [1.0, 0, 0, 0, 1, 0]}, "orientations vary"),
        ({"PixelSpacing": [2.0, 2.0]}, "pixel sizes vary"),
        ({"pixels": np.zeros((8, 9))}, "image sizes vary"),
        ({"ImagePositionPatient": None}, "has no ImagePositionPatient"),
        ({"ImageOrientationPatient": None}, "has no ImageOrientationPatient"),
        ({"ImageOrientationPatient": [1.0, 1, 0, 0, 1, 0]}, "unit vectors"),
        ({"PixelSpacing": None}, "has no PixelSpacing"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"ImagePositionPatient": [float(v) for v in ORIGIN_LPS + NORMAL * 21]}, "not evenly spaced"),
        ({"ImagePositionPatient": [float(v) for v in ORIGIN_LPS + NORMAL * 8]}, "images are missing"),
    ],
)
def test_refused_series(tags: dict[str, Any], words: str, tmp_path: Path) -> None:
    for slice_ in range(3):
        classic(tmp_path / "study" / f"{slice_}.dcm", 0, slice_, **(tags if slice_ == 2 else {}))
    with pytest.raises(InputError, match=words) as caught:
        dmr.read(tmp_path / "study")
    assert "\n" not in str(caught.value)


def test_a_missing_image_is_noticed(tmp_path: Path) -> None:
    folder = cine(tmp_path / "study")
    next(folder.rglob("*.dcm")).unlink()
    with pytest.raises(InputError, match="3 images but most of the 3 slices have 4"):
        dmr.read(folder)


def test_objects_without_an_image_and_other_files_are_left_out(tmp_path: Path) -> None:
    folder = cine(tmp_path / "study")
    classic(folder / "report.dcm", 0, 0, pixels=None)
    (folder / "notes.txt").write_text("hello")
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    series = dmr.read(folder)
    assert series.array.shape == (4, 3, 7, 9)
    assert "1 DICOM objects without an image" in warnings_of(series)


def test_refused_files(tmp_path: Path) -> None:
    (tmp_path / "text.dcm").write_text("not a picture")
    with pytest.raises(InputError, match=r"text\.dcm is not a readable DICOM"):
        dmr.read(tmp_path / "text.dcm")
    classic(tmp_path / "only" / "report.dcm", 0, 0, pixels=None)
    with pytest.raises(InputError, match="holds no DICOM image"):
        dmr.read(tmp_path / "only")
    with pytest.raises(InputError, match=r"MR_truncated\.dcm: the pixels cannot be read"):
        dmr.read(get_testdata_file("MR_truncated.dcm"))


@pytest.mark.parametrize(
    "name", ["MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_implicit.dcm"]
)
def test_files_that_ship_with_pydicom(name: str) -> None:
    series = dmr.read(get_testdata_file(name))
    first = dmr.read(get_testdata_file("MR_small.dcm"))
    assert series.array.shape == (1, 1, 64, 64)
    np.testing.assert_array_equal(series.array, first.array)
    np.testing.assert_allclose(series.affine, first.affine)


def test_the_sample_cine() -> None:
    """Real files of a scanner; the expected numbers were read off their headers."""
    series = dmr.read(SAMPLE)
    assert series.array.shape == (20, 1, 256, 256)
    np.testing.assert_allclose(series.geometry.spacing_mm, (1.367188, 1.367188, 10), rtol=1e-5)
    np.testing.assert_allclose(series.geometry.origin_mm, (68.9639, 255.976, -48.4899))
    np.testing.assert_allclose(series.times_s[[0, 1, 19]], (0.0238095245, 0.0714285736, 0.928571472))
    assert not warnings_of(series)
    # The left ventricle is smaller and its wall thicker at end systole, so the bright blood pool shrinks.
    pool = (series.array[:, 0, 110:150, 130:160] > 60).sum(axis=(1, 2))
    assert pool[8] < 0.75 * pool[0]
