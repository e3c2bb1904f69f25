"""NIfTI: geometry from sform or qform, units, times in the header and beside it, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError

rng = np.random.default_rng(4)
ARRAY = rng.random((4, 2, 5, 6)).astype(np.float32)
AFFINE = np.array([[-2.0, 0, 0, 30], [0, 0, 4, -20], [0, 3, 0, 10], [0, 0, 0, 1]])
TIMES = np.array([0.5, 0.5131, 0.61, 2.0])


def image(units: tuple[Any, Any] = ("mm", "sec"), interval: float = 0.04, start: float = 0.0) -> Any:
    """A 4-D image as other programs write it: one interval, no extension."""
    made = nibabel.Nifti1Image(ARRAY.transpose(3, 2, 1, 0), None)
    made.set_sform(AFFINE, 1)
    made.header.set_zooms((2, 3, 4, interval))
    made.header.set_xyzt_units(*units)
    made.header["toffset"] = start
    return made


def save(made: Any, path: Path) -> Path:
    nibabel.save(made, path)
    return path


def warnings_of(series: Any) -> str:
    return " ".join(series.metadata.get("warnings", []))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_everything_comes_back(suffix: str, tmp_path: Path) -> None:
    notes = {"provenance": {"method": "gridding"}, "warnings": ["é\n"]}
    series = ImageSeries(ARRAY, AFFINE, TIMES, synthetic=[0, 1, 1, 0], metadata=notes)
    back = dmr.read(dmr.write(tmp_path / f"x{suffix}", series))
    np.testing.assert_array_equal(back.array, series.array)
    assert back.array.dtype == series.array.dtype
    np.testing.assert_array_equal(back.times_s, TIMES)
    np.testing.assert_array_equal(back.synthetic, series.synthetic)
    np.testing.assert_allclose(back.affine, AFFINE, atol=1e-5)
    assert {key: back.metadata[key] for key in notes} == notes


def test_complex_series_are_written_as_magnitudes(tmp_path: Path) -> None:
    """3D Slicer cannot open a NIfTI file of complex voxels."""
    path = dmr.write(tmp_path / "x.nii.gz", ImageSeries(ARRAY * np.exp(1j * ARRAY), AFFINE, TIMES))
    assert nibabel.load(path).get_data_dtype() == np.float32
    back = dmr.read(path)
    np.testing.assert_allclose(back.array, ARRAY, rtol=1e-6)
    assert back.metadata["written_as"] == "magnitude of a complex series"


def test_complex_files_of_others_are_read(tmp_path: Path) -> None:
    stored = (ARRAY * np.exp(1j * ARRAY)).astype(np.complex64)
    nibabel.save(nibabel.Nifti1Image(stored.transpose(3, 2, 1, 0), AFFINE), tmp_path / "theirs.nii")
    np.testing.assert_array_equal(dmr.read(tmp_path / "theirs.nii").array, stored)


def test_others_find_interval_start_and_units(tmp_path: Path) -> None:
    times = 0.3 + 0.04 * np.arange(4)
    header = nibabel.load(dmr.write(tmp_path / "x.nii", ImageSeries(ARRAY, AFFINE, times))).header
    assert header.get_xyzt_units() == ("mm", "sec")
    np.testing.assert_allclose(header.get_zooms(), (2, 3, 4, 0.04), rtol=1e-6)
    assert float(header["toffset"]) == pytest.approx(0.3)
    assert int(header["sform_code"]) == int(header["qform_code"]) == 1


def test_close_frames_are_written_in_milliseconds(tmp_path: Path) -> None:
    """In seconds 3D Slicer would merge them."""
    times = 0.25 + 0.0005 * np.arange(4)
    header = nibabel.load(dmr.write(tmp_path / "x.nii", ImageSeries(ARRAY, AFFINE, times))).header
    assert header.get_xyzt_units() == ("mm", "msec")
    assert float(header.get_zooms()[3]) == pytest.approx(0.5)
    assert float(header["toffset"]) == pytest.approx(250)


def test_uneven_times_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dmr.write(tmp_path / "even.nii", ImageSeries(ARRAY, AFFINE, 0.04 * np.arange(4)))
    assert not caplog.records
    dmr.write(tmp_path / "uneven.nii", ImageSeries(ARRAY, AFFINE, TIMES))
    assert "true times" in caplog.text


def test_sheared_grids_have_no_qform(tmp_path: Path) -> None:
    sheared = AFFINE.copy()
    sheared[0, 2] = 1.0
    path = dmr.write(tmp_path / "x.nii", ImageSeries(ARRAY, sheared, TIMES))
    loaded = nibabel.load(path)
    assert int(loaded.header["qform_code"]) == 0
    np.testing.assert_allclose(loaded.header.get_zooms()[:3], np.linalg.norm(sheared[:3, :3], axis=0), rtol=1e-6)
    np.testing.assert_allclose(dmr.read(path).affine, sheared, atol=1e-5)


@pytest.mark.parametrize(("unit", "scale"), [("mm", 1), ("meter", 1000), ("micron", 0.001), (0, 1)])
def test_space_units(unit: Any, scale: float, tmp_path: Path) -> None:
    series = dmr.read(save(image((unit, "sec")), tmp_path / "x.nii"))
    np.testing.assert_allclose(series.affine[:3], AFFINE[:3] * scale, rtol=1e-6)


@pytest.mark.parametrize(("unit", "scale"), [("sec", 1.0), ("msec", 1e-3), ("usec", 1e-6)])
def test_time_units(unit: str, scale: float, tmp_path: Path) -> None:
    series = dmr.read(save(image(("mm", unit), interval=40, start=10), tmp_path / "x.nii"))
    np.testing.assert_allclose(series.times_s, (10 + 40 * np.arange(4)) * scale)
    assert not warnings_of(series)


@pytest.mark.parametrize(
    ("unit", "interval", "step", "words"),
    [
        (0, 0.03, 0.03, "has no unit"),
        ("sec", 0.0, 1.0, "no frame interval"),
        ("hz", 0.03, 1.0, "not time"),
    ],
)
def test_times_that_are_not_told_cost_a_warning(
    unit: Any, interval: float, step: float, words: str, tmp_path: Path
) -> None:
    series = dmr.read(save(image(("mm", unit), interval=interval), tmp_path / "x.nii"))
    np.testing.assert_allclose(series.times_s, step * np.arange(4))
    assert words in warnings_of(series)


def test_sform_wins_over_qform_and_the_difference_is_told(tmp_path: Path) -> None:
    made = image()
    other = AFFINE.copy()
    other[0, 3] += 1
    made.set_qform(other, 1)
    series = dmr.read(save(made, tmp_path / "x.nii"))
    np.testing.assert_allclose(series.affine, AFFINE, atol=1e-5)
    assert "sform and qform" in warnings_of(series)
    made.set_sform(None, 0)
    series = dmr.read(save(made, tmp_path / "q.nii"))
    np.testing.assert_allclose(series.affine, other, atol=1e-5)
    assert not warnings_of(series)


def test_no_form_at_all_is_told(tmp_path: Path) -> None:
    made = image()
    made.set_sform(None, 0)
    series = dmr.read(save(made, tmp_path / "x.nii"))
    assert "neither sform nor qform" in warnings_of(series)
    np.testing.assert_allclose(series.geometry.spacing_mm, (2, 3, 4), rtol=1e-6)


def test_left_handed_files_keep_every_voxel_in_place(tmp_path: Path) -> None:
    made = image()
    left = np.diag([-2.0, 3, 4, 1])
    made.set_sform(left, 1)
    series = dmr.read(save(made, tmp_path / "x.nii"))
    i, j, k = np.rint(series.geometry.to_ijk((left @ (4, 1, 0, 1))[:3])).astype(int)
    assert series.array[3, k, j, i] == ARRAY[3, 0, 1, 4]


def test_stored_integers_are_scaled(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(5, 4, 3), np.eye(4))
    made.header.set_slope_inter(0.5, 10)
    series = dmr.read(save(made, tmp_path / "x.nii"))
    assert series.array.shape == (1, 3, 4, 5)
    np.testing.assert_allclose(series.array[0, 2, 3, 4], nibabel.load(tmp_path / "x.nii").get_fdata()[4, 3, 2])


@pytest.mark.parametrize(("shape", "expected"), [((6, 5), (1, 1, 5, 6)), ((6, 5, 1, 4, 1), (4, 1, 5, 6))])
def test_other_dimensions(shape: tuple, expected: tuple, tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(rng.random(shape).astype(np.float32), np.eye(4))
    series = dmr.read(save(made, tmp_path / "x.nii"))
    assert series.array.shape == expected
    np.testing.assert_array_equal(series.array[0, 0, 2], made.get_fdata().reshape(*shape[:2], -1)[:, 2, 0].astype("f4"))


def test_cut_in_time_by_another_program_the_header_counts(tmp_path: Path) -> None:
    whole = nibabel.load(dmr.write(tmp_path / "x.nii", ImageSeries(ARRAY, AFFINE, 0.04 * np.arange(4))))
    cut = nibabel.Nifti1Image(np.asarray(whole.dataobj)[..., :3], whole.affine, whole.header)
    series = dmr.read(save(cut, tmp_path / "cut.nii"))
    np.testing.assert_allclose(series.times_s, [0, 0.04, 0.08])
    assert "another number of frames" in warnings_of(series)


def test_a_file_that_ships_with_nibabel() -> None:
    path = Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz"
    series = dmr.read(path)
    assert series.array.shape == (2, 24, 96, 128)
    assert np.linalg.det(series.affine[:3, :3]) > 0


def test_refused_files(tmp_path: Path) -> None:
    (tmp_path / "text.nii").write_text("not a picture")
    whole = dmr.write(tmp_path / "whole.nii.gz", ImageSeries(ARRAY, AFFINE, TIMES)).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    bad = ARRAY.transpose(3, 2, 1, 0).copy()
    bad[0, 0, 0, 0] = np.nan
    save(nibabel.Nifti1Image(bad, AFFINE), tmp_path / "nan.nii")
    save(nibabel.Nifti1Image(np.ones((3, 3, 3, 2, 2), np.float32), AFFINE), tmp_path / "five.nii")
    colour = np.zeros((3, 3, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    save(nibabel.Nifti1Image(colour, AFFINE), tmp_path / "colour.nii")
    for name, words in (
        ("text.nii", "not a readable NIfTI"),
        ("cut.nii.gz", "not a readable NIfTI"),
        ("nan.nii", "not finite"),
        ("five.nii", "5 dimensions"),
        ("colour.nii", "colour"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            dmr.read(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
