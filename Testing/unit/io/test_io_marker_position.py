"""An asymmetric marker stays at its place in the patient, and frames at their times, through every series format."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from marker_series import MARKER_RAS_MM, ORIENTATIONS, SPACING_MM, found_ras_mm, marker_series, raw_marker

import DynamicMRIReconLib as dmr

FORMATS = (".seq.nrrd", ".nrrd", ".nii", ".nii.gz")
TIMES = {
    "cine": np.arange(4) * 0.0512 + 0.0254,
    "irregular": np.array([0.0, 0.013, 0.0931, 1.75]),
    "half a millisecond": np.arange(4) * 0.0005 + 0.25,
    "long": np.array([0.0, 0.003, 301.2345, 4000.0004]),
}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("slices", [1, 5])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_marker_stays(orientation: str, slices: int, suffix: str, tmp_path: Path) -> None:
    series = marker_series(orientation, TIMES["irregular"], slices)
    back = dmr.read(dmr.write(tmp_path / f"marker{suffix}", series))
    for frame in back.array:
        assert np.abs(found_ras_mm(frame, back.affine) - MARKER_RAS_MM).max() < 0.1 * SPACING_MM.min()
    np.testing.assert_allclose(back.affine, series.affine, atol=1e-4)
    np.testing.assert_array_equal(back.array, series.array)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_stay(times: np.ndarray, suffix: str, tmp_path: Path) -> None:
    back = dmr.read(dmr.write(tmp_path / f"times{suffix}", marker_series("oblique", times)))
    assert np.abs(back.times_s - times).max() < 1e-6


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_marker_in_a_nifti_written_by_nibabel(orientation: str, tmp_path: Path) -> None:
    """Files of others are often left-handed: x runs from right to left."""
    array, affine = raw_marker(orientation)
    nibabel.save(nibabel.Nifti1Image(array.transpose(3, 2, 1, 0), affine), tmp_path / "other.nii.gz")
    back = dmr.read(tmp_path / "other.nii.gz")
    assert np.linalg.det(back.affine[:3, :3]) > 0
    assert np.abs(found_ras_mm(back.array[0], back.affine) - MARKER_RAS_MM).max() < 0.1 * SPACING_MM.min()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_both_formats_agree_with_nibabel(orientation: str, tmp_path: Path) -> None:
    """Our NIfTI read by nibabel alone has the marker where our NRRD has it."""
    series = marker_series(orientation, TIMES["cine"])
    image = nibabel.load(dmr.write(tmp_path / "ours.nii", series))
    np.testing.assert_allclose(image.get_qform(), image.affine, atol=1e-4)
    volume = image.get_fdata()[..., 1].transpose(2, 1, 0)
    assert np.abs(found_ras_mm(volume, image.affine) - MARKER_RAS_MM).max() < 0.1 * SPACING_MM.min()
