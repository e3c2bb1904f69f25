"""NIfTI files that lie: what they announce, where they point, what cannot be."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hostile_cases import SERIES, note_in_nifti, refused

from DynamicMRIReconLib import io


def test_a_nifti_header_that_nibabel_mends_is_not_talked_about(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = io.write(tmp_path / "cine.nii", SERIES)
    content = bytearray(path.read_bytes())
    struct.pack_into("<hh", content, 252, 16023, 3299)
    path.write_bytes(content)
    io.read(path)
    struct.pack_into("<h", content, 70, 8827)
    path.write_bytes(content)
    refused(path)
    assert capfd.readouterr().err == ""


def nifti_with(path: Path, **fields: float) -> Path:
    """A good .nii file with other values in its header."""
    from nibabel.nifti1 import header_dtype

    content = bytearray(io.write(path, SERIES).read_bytes())
    header = np.frombuffer(content[:348], header_dtype).copy()
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.tobytes()
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("offset", [np.inf, np.nan, 1e30, 1e9, 0, 4, -16])
def test_nifti_voxels_that_begin_nowhere_are_refused_before_memory_is_taken(tmp_path: Path, offset: float) -> None:
    import tracemalloc

    path = nifti_with(tmp_path / "cine.nii", vox_offset=offset)
    # an extension of 2 GB, which a reader who believes the offset asks memory for
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, 352, 2**31 - 16)
    path.write_bytes(content)
    tracemalloc.start()
    try:
        assert "is damaged" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [2**31 - 16, 0, -8, 8, 4096])
def test_nifti_extensions_longer_than_their_room_are_refused(tmp_path: Path, length: int) -> None:
    path = nifti_with(tmp_path / "cine.nii")
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, 352, length)
    path.write_bytes(content)
    assert f"an extension of its header is {length} bytes long" in refused(path)
    packed = tmp_path / "packed.nii.gz"
    packed.write_bytes(gzip.compress(content))
    assert f"an extension of its header is {length} bytes long" in refused(packed)


def test_nifti_sizes_that_are_only_announced(tmp_path: Path) -> None:
    path = io.write(tmp_path / "cine.nii", SERIES)
    content = bytearray(path.read_bytes())
    struct.pack_into("<8h", content, 40, 4, 1000, 1000, 1000, 20, 1, 1, 1)
    path.write_bytes(content)
    assert "announces voxels up to byte" in refused(path)
    packed = tmp_path / "packed.nii.gz"
    packed.write_bytes(gzip.compress(content))
    assert "announces voxels up to byte" in refused(packed)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image"])
def test_nifti_of_other_programs_is_still_read(tmp_path: Path, kind: str, swapped: bool) -> None:
    import nibabel

    voxels = np.arange(5 * 4 * 3 * 2, dtype=np.int16).reshape(5, 4, 3, 2)
    image = getattr(nibabel, kind)(voxels, np.diag([2.0, 3.0, 4.0, 1.0]))
    if swapped:
        image = type(image)(voxels, image.affine, image.header_class(endianness=">"))
    for code in (4, 6):
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(code, b"somebody else's notes"))
    for name in ("a.nii", "a.nii.gz"):
        nibabel.save(image, tmp_path / name)
        found = io.read(tmp_path / name)
        np.testing.assert_array_equal(found.array, voxels.transpose(3, 2, 1, 0))
        np.testing.assert_allclose(found.affine, image.affine)


@pytest.mark.parametrize(("code", "interval", "words"), [(255, 0.1, "code 56"), (2 | 64 | 16, 0.0001, "")])
def test_nifti_units_that_are_none(tmp_path: Path, code: int, interval: float, words: str) -> None:
    path = nifti_with(tmp_path / "cine.nii", xyzt_units=code)
    content = path.read_bytes().replace(b"DynamicMRIRecon", b"SomebodyElse123")
    path.write_bytes(content)
    found = io.read(path)
    np.testing.assert_allclose(found.affine, SERIES.affine)
    np.testing.assert_allclose(found.times_s, [0, interval], rtol=1e-6)
    told = " ".join(found.metadata.get("warnings", []))
    assert words in told
    assert ("undefined code" in told) == bool(words)


def test_nifti_voxels_without_size_are_refused(tmp_path: Path) -> None:
    refused(nifti_with(tmp_path / "cine.nii", srow_x=0, srow_y=0, srow_z=0))


@pytest.mark.parametrize("times", ["[0, 1" + "0" * 400 + "]", "[0, {}]", '["a", "b"]', "[[0], [1, 2]]"])
def test_nifti_times_that_are_no_numbers(tmp_path: Path, times: str) -> None:
    path = io.write(tmp_path / "cine.nii", SERIES)
    note_in_nifti(path, f'{{"times_s": {times}}}')
    assert "are no numbers" in refused(path)
