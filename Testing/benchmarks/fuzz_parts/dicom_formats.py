"""DICOM: single images, folders of them, and enhanced multi-frame files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.made_files import OF_SERIES, PICKLES, odd_names, series
from hypothesis import strategies as st

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries

_TAGS: list[tuple[str, Any]] = [
    *(("Rows", value) for value in (0, 1, 8, 65535)),
    *(("Columns", value) for value in (0, 1, 65535)),
    *(("NumberOfFrames", value) for value in ("0", "-1", "2", "2147483647", "x", "1.5")),
    *(("SamplesPerPixel", value) for value in (0, 3, 65535)),
    *(("BitsAllocated", value) for value in (0, 1, 8, 12, 32, 64, 65535)),
    *(("BitsStored", value) for value in (0, 1, 17, 65535)),
    *(("HighBit", value) for value in (0, 65535)),
    *(("PixelRepresentation", value) for value in (1, 2, 65535)),
    *(("PhotometricInterpretation", value) for value in ("RGB", "PALETTE COLOR", "", "\x1b[2J")),
    *(("PixelSpacing", v) for v in (["0", "0"], ["-1", "1"], ["nan", "1"], ["1"], ["x", "1"], ["1e400", "1"], [])),
    *(
        ("ImageOrientationPatient", v)
        for v in (["0"] * 6, ["1", "0", "0", "1", "0", "0"], ["nan"] * 6, ["1"] * 6, ["1", "0"], ["x"] * 6)
    ),
    *(("ImagePositionPatient", v) for v in (["nan"] * 3, ["1e300"] * 3, ["0", "0"], ["x", "y", "z"], ["inf"] * 3)),
    *(("SliceThickness", value) for value in ("0", "-3", "nan", "x", "1e400", ["1", "2"])),
    *(("TriggerTime", value) for value in ("nan", "x", "-5", "1e400", "0", ["1", "2"])),
    *(("FrameTime", value) for value in ("0", "-1", "nan", "x", ["1", "2"])),
    *(("FrameTimeVector", value) for value in (["0", "0", "0"], ["nan"] * 3, ["x"] * 3, ["1"] * 9)),
    *(("AcquisitionTime", value) for value in ("999999.999", "x", "", "1" * 40, "-1")),
    *(("TemporalPositionIdentifier", value) for value in ("-1", "x", "1e3", ["1", "2"])),
    *(("InstanceNumber", value) for value in ("x", "1.5", "99999999999999", ["1", "2"], "")),
    *(("EchoTime", value) for value in ("x", "nan", ["1", "2"])),
    *(("RescaleSlope", value) for value in ("0", "nan", "x", "1e300", ["1", "2"])),
    *(("RescaleIntercept", value) for value in ("nan", "x", "1e308")),
    *(("ImageType", value) for value in ("", ["A"] * 99, "心")),
    *(("SeriesDescription", value) for value in ("\x1b[2J\x07", "x" * 5000, "心\u202e")),
    *(("SeriesInstanceUID", value) for value in ("", "x", "1.2.3" * 50)),
    *(("SpecificCharacterSet", value) for value in ("ISO_IR 999", "utf-7", ["", "ISO 2022 IR 87"])),
    *(("PixelData", value) for value in (b"", b"\0", bytes(7), bytes(100_000))),
    *(("SOPClassUID", value) for value in ("1.2.840.10008.5.1.4.1.1.88.11", "")),
]
_SYNTAXES = ("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.3")


def _images(place: Place) -> list[Path]:
    return sorted(path for path in place.folder.rglob("*.dcm"))


def _saved(dataset: Any, path: Path) -> None:
    from pydicom import config

    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        dataset.save_as(path, enforce_file_format=False)
    finally:
        config.settings.writing_validation_mode = before


def _raw(keyword: str, value: Any) -> Any:
    """An element with just these bytes, valid or not."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    kind = dictionary_VR(tag_for_keyword(keyword))
    kind = {"US or SS": "US", "OB or OW": "OW"}.get(kind, kind)
    if isinstance(value, bytes):
        content = value
    elif kind in ("US", "UL"):
        content = int(value).to_bytes(2 if kind == "US" else 4, "little")
    else:
        words = value if isinstance(value, list) else [value]
        content = "\\".join(map(str, words)).encode("utf-8", "replace")
        content += b" " * (len(content) % 2)
    return RawDataElement(Tag(tag_for_keyword(keyword)), kind, len(content), content, 0, False, True)


def _set(container: Any, keyword: str, value: Any) -> bool:
    """Set it wherever it stands, in sequences too; False where it stands nowhere."""
    found = keyword in container
    if found:
        if value is None:
            del container[keyword]
        else:
            container[_raw(keyword, value).tag] = _raw(keyword, value)
    for element in list(container):
        if element.VR == "SQ":
            for item in element.value:
                found = _set(item, keyword, value) or found
    return found


def _tag(place: Place, drawn: tuple[tuple[str, Any], str]) -> None:
    import pydicom

    (keyword, value), where = drawn
    for path in _images(place)[: None if where == "all" else 1]:
        dataset = pydicom.dcmread(path)
        if not _set(dataset, keyword, value) and value is not None:
            dataset[_raw(keyword, value).tag] = _raw(keyword, value)
        _saved(dataset, path)


def _gone(place: Place, drawn: tuple[str, str]) -> None:
    _tag(place, ((drawn[0], None), drawn[1]))


def _syntax(place: Place, uid: str) -> None:
    import pydicom

    for path in _images(place):
        dataset = pydicom.dcmread(path)
        content = path.read_bytes()
        known = str(dataset.file_meta.TransferSyntaxUID).encode()
        path.write_bytes(content.replace(known, uid.encode()[: len(known)].ljust(len(known), b"\0"), 1))


def _nested(place: Place, depth: int) -> None:
    """Sequences in sequences, written by hand as no library would."""
    path = _images(place)[0]
    start = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    content = path.read_bytes()
    place_of = content.find(b"\x08\x00\x60\x00CS")
    path.write_bytes(content[:place_of] + start * depth + end * depth + content[place_of:])


def _folder_change(place: Place, way: str) -> None:
    images = _images(place)
    if way == "one missing":
        images[1].unlink()
    elif way == "one twice":
        (place.folder / "copy.dcm").write_bytes(images[0].read_bytes())
    elif way == "a stranger":
        (place.folder / "notes.dcm").write_text("no image", encoding="ascii")
    elif way == "an empty one":
        images[0].write_bytes(b"")
    elif way == "link in a circle":
        (place.folder / "loop").symlink_to(place.folder, target_is_directory=True)
    elif way == "link to nothing":
        (place.folder / "gone.dcm").symlink_to("nowhere")
    elif way == "all alike":
        for path in images[1:]:
            path.write_bytes(images[0].read_bytes())
    elif way == "none":
        for path in images:
            path.unlink()


def formats() -> list[Format]:
    """All of them."""
    arrays = series()
    small = ImageSeries(arrays["array"], arrays["affine"], arrays["times_s"])

    def enhanced(folder: Path) -> Path:
        return io.write(folder / "cine.dcm", small)

    def classic(folder: Path) -> Path:
        io.write(folder / "cine.dicom", small)
        for path in sorted((folder / "cine.dicom").iterdir()):
            if not path.name.endswith(".dcm"):
                path.rename(path.with_name(f"{path.name}.dcm"))
        return folder / "cine.dicom"

    def single(folder: Path) -> Path:
        one = ImageSeries(arrays["array"][:1, :1], arrays["affine"], np.array([0.04]))
        io.write(folder / "x.dicom", one)
        next(iter((folder / "x.dicom").iterdir())).rename(folder / "image.dcm")
        (folder / "x.dicom").rmdir()
        return folder / "image.dcm"

    keywords = sorted({name for name, _ in _TAGS} | {"PerFrameFunctionalGroupsSequence", "FrameContentSequence"})
    where = st.sampled_from(["one", "all"])
    faults = {
        "tag": Fault(_tag, st.tuples(st.sampled_from(_TAGS), where)),
        "tag missing": Fault(_gone, st.tuples(st.sampled_from(keywords), where)),
        "transfer syntax": Fault(_syntax, st.sampled_from(_SYNTAXES)),
        "nested": Fault(_nested, st.sampled_from([1, 10, 5000])),
    }
    whole = {**faults, "only a pickle": PICKLES, "name": odd_names(".dcm")}
    changes = ("one missing", "one twice", "a stranger", "an empty one", "link in a circle", "link to nothing")
    ways = st.sampled_from([*changes, "all alike", "none"])
    names = sorted(path.name for path in _example(classic))
    return [
        Format("DICOM image", single, ("image.dcm",), whole, job=OF_SERIES),
        Format("DICOM enhanced", enhanced, ("cine.dcm",), whole, job=OF_SERIES),
        Format(
            *("DICOM folder", classic, tuple(f"cine.dicom/{name}" for name in names)),
            {**faults, "folder": Fault(_folder_change, ways)},
            job=OF_SERIES,
        ),
    ]


def _example(make: Any) -> list[Path]:
    """The files that a writer of folders makes."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return list(make(Path(folder)).iterdir())
