"""DICOM files whose tags lie: one sentence, no memory for what they only announce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from dicom_maker import classic, enhanced

from DynamicMRIReconLib import io
from DynamicMRIReconLib.errors import InputError


def changed(path: Path, **tags: Any) -> Path:
    dataset = pydicom.dcmread(path)
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("tags", [{"NumberOfFrames": 2**31 - 1}, {"Rows": 65535, "Columns": 65535}])
@pytest.mark.parametrize("make", [lambda path: classic(path, 0, 0), enhanced])
def test_sizes_that_are_only_announced(tmp_path: Path, make: Any, tags: dict[str, int]) -> None:
    path = changed(make(tmp_path / "a.dcm"), **tags)
    with pytest.raises(InputError, match=r"a\.dcm announces .* more than the file can hold"):
        io.read(path)


def test_no_pixels_at_all(tmp_path: Path) -> None:
    path = changed(classic(tmp_path / "a.dcm", 0, 0), Rows=0)
    with pytest.raises(InputError, match=r"a\.dcm"):
        io.read(path)


def test_a_length_that_lies_takes_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = classic(tmp_path / "a.dcm", 0, 0)
    content = bytearray(path.read_bytes())
    at = content.index(b"\xe0\x7f\x10\x00OW") + 8
    content[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    whole = io.read(classic(tmp_path / "b.dcm", 0, 0)).array
    tracemalloc.start()
    try:
        # the pixels are all there, whatever their length is said to be
        assert (io.read(path).array == whole).all()
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_tags_of_another_kind_and_a_missing_transfer_syntax(tmp_path: Path) -> None:
    path = classic(tmp_path / "a.dcm", 0, 0)
    content = path.read_bytes()
    place = content.index(b"\x18\x00\x50\x00DS")
    length = int.from_bytes(content[place + 6 : place + 8], "little")
    path.write_bytes(content[: place + 8] + b"x\\y".ljust(length)[:length] + content[place + 8 + length :])
    with pytest.raises(InputError, match=r"a\.dcm"):
        io.read(path)
    mark = b"\x02\x00\x10\x00UI"
    path.write_bytes(content.replace(mark, b"\x02\x00\x12\x00UI", 1))
    with pytest.raises(InputError, match=r"a\.dcm"):
        io.read(path)


@pytest.mark.parametrize("kind", [b"\x44\x5b", b"DS"])
@pytest.mark.parametrize("tag", [b"\x28\x00\x53\x10", b"\x18\x00\x50\x00", b"\x28\x00\x10\x00"])
def test_values_that_cannot_be_parsed_name_the_file(tmp_path: Path, tag: bytes, kind: bytes) -> None:
    """Of the slope (asked for with the pixels), the thickness and the rows: an unknown representation, or no number."""
    path = classic(tmp_path / "a.dcm", 0, 0)
    dataset = pydicom.dcmread(path)
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "0"
    dataset.save_as(path)
    content = bytearray(path.read_bytes())
    place = content.index(tag)
    content[place + 4 : place + 6] = kind
    length = int.from_bytes(content[place + 6 : place + 8], "little")
    content[place + 8 : place + 8 + length] = b"x" * length
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.dcm"):
        io.read(path)


def test_a_file_that_ends_anywhere_is_read_or_refused(tmp_path: Path) -> None:
    good = enhanced(tmp_path / "good.dcm").read_bytes()
    path = tmp_path / "a.dcm"
    refused = 0
    for kept in range(140, len(good), max(1, len(good) // 90)):
        path.write_bytes(good[:kept])
        sentence = ""
        try:
            io.read(path)
        except InputError as error:
            sentence = str(error)
        assert not sentence or "a.dcm" in sentence
        refused += bool(sentence)
    assert refused > 30
