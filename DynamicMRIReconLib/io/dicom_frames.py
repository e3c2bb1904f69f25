"""Single images with position and time out of DICOM files, classic or enhanced multi-frame, through pydicom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.dicom_private import is_synthetic
from DynamicMRIReconLib.io.numpy_files import LARGEST_COMPRESSION

#: implicit, explicit little endian, explicit big endian: pixels as they are
_PLAIN_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")


@dataclass(frozen=True)
class DicomFrame:
    """One image of a series, its pixels not yet read.

    Attributes
    ----------
    position_mm, row, column
        LPS position of the first pixel; unit vectors along rising column index and rising row index.
    spacing_mm
        Distance between columns (x) and between rows (y).
    thickness_mm
        Slice thickness, or None.
    times_ms
        Time by source (``TriggerTime``, ``FrameTime``, ``AcquisitionTime``, ``TemporalPosition``); the last is a
        number of a time point.
    kind
        What must be the same in all images of a series besides geometry: image type, echo.
    synthetic
        True for a frame that this project interpolated.
    """

    file: Path
    index: int
    shape: tuple[int, int]
    position_mm: tuple[float, ...]
    row: tuple[float, ...]
    column: tuple[float, ...]
    spacing_mm: tuple[float, float]
    thickness_mm: float | None
    times_ms: dict[str, float]
    kind: tuple[str, ...]
    series_uid: str
    series_text: str
    instance: int
    synthetic: bool = False


def frames_of(path: Path, dataset: Any) -> Iterator[DicomFrame]:
    """The images of one DICOM file.

    Raises
    ------
    InputError
        A tag that is needed for position or size is missing; colour images.
    """
    if int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise InputError(f"{path.name} holds colour images: only images with one value a pixel can be read.")
    shape = (int(_needed(dataset, "Rows", path)), int(_needed(dataset, "Columns", path)))
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    _check_size(path, dataset, count, shape)
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    # Some classic files carry an empty sequence of functional groups: only real groups make a file enhanced.
    enhanced = per_frame is not None and len(per_frame) == count and any("FrameContentSequence" in g for g in per_frame)
    if enhanced:
        shared = _first(dataset, "SharedFunctionalGroupsSequence")
        groups: list[list[Any]] = [[group, shared] for group in per_frame]
    else:
        groups = [[] for _ in range(count)]
    for index, sources in enumerate(groups):
        yield _frame(path, dataset, index, count, shape, sources)


def _check_size(path: Path, dataset: Any, count: int, shape: tuple[int, int]) -> None:
    """Refuse what is more than the file can hold before anything is made as large as it says."""
    if count < 1 or min(shape) < 1:
        raise InputError(f"{path.name} announces {count} images of {shape[0]} x {shape[1]} pixels: it is damaged.")
    syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
    growth = 1 if syntax in _PLAIN_SYNTAXES else LARGEST_COMPRESSION
    declared = count * shape[0] * shape[1] * int(dataset.get("BitsAllocated") or 1) // 8
    if declared > growth * path.stat().st_size:
        raise InputError(
            f"{path.name} announces {count} images of {shape[0]} x {shape[1]} pixels, more than the file can hold: it "
            "is damaged."
        )


def _frame(path: Path, dataset: Any, index: int, count: int, shape: tuple[int, int], groups: list[Any]) -> DicomFrame:
    def look(sequence: str, keyword: str) -> Any:
        """A value from the frame's functional groups, then the shared ones, then the data set itself."""
        for group in groups:
            item = _first(group, sequence) if group is not None else None
            if item is not None and item.get(keyword) not in (None, ""):
                return item.get(keyword)
        value = dataset.get(keyword)
        return None if value in (None, "") else value

    def need(sequence: str, keyword: str, count: int) -> tuple[float, ...]:
        value = look(sequence, keyword)
        if value is None:
            raise InputError(f"{path.name} has no {keyword}: position and size of its image cannot be told.")
        numbers = tuple(float(v) for v in value)
        if len(numbers) != count or not np.isfinite(numbers).all():
            raise InputError(f"{path.name}: {keyword} must hold {count} numbers, not {list(numbers)}.")
        return numbers

    orientation = need("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    rows, columns = need("PixelMeasuresSequence", "PixelSpacing", 2)
    thickness = look("PixelMeasuresSequence", "SliceThickness")
    image_type = look("MRImageFrameTypeSequence", "FrameType") or dataset.get("ImageType") or []
    echo = look("MREchoSequence", "EffectiveEchoTime") or dataset.get("EchoTime") or ""
    return DicomFrame(
        file=path,
        index=index,
        shape=shape,
        position_mm=need("PlanePositionSequence", "ImagePositionPatient", 3),
        row=_unit(orientation[:3], path),
        column=_unit(orientation[3:], path),
        spacing_mm=(columns, rows),
        thickness_mm=None if thickness is None else float(thickness),
        times_ms=_times(dataset, index, count, look),
        kind=("/".join(str(part) for part in image_type), f"{float(echo):g}" if str(echo) else ""),
        series_uid=str(dataset.get("SeriesInstanceUID", "")),
        series_text=str(dataset.get("SeriesDescription", "") or dataset.get("ProtocolName", "") or "no description"),
        instance=int(dataset.get("InstanceNumber") or 0),
        synthetic=is_synthetic(groups[0] if groups else dataset),
    )


def _unit(vector: tuple[float, ...], path: Path) -> tuple[float, ...]:
    length = float(np.linalg.norm(vector))
    if abs(length - 1) > 0.01:
        raise InputError(f"{path.name}: ImageOrientationPatient does not hold unit vectors ({vector}).")
    return tuple(v / length for v in vector)


def _times(dataset: Any, index: int, count: int, look: Any) -> dict[str, float]:
    times: dict[str, float] = {}
    trigger = look("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime")
    # Classic images: TriggerTime is the tag in use; enhanced ones have the nominal delay.
    classic = dataset.get("TriggerTime") if count == 1 else None
    trigger = classic if classic not in (None, "") else trigger
    if trigger is not None:
        times["TriggerTime"] = float(trigger)
    vector = dataset.get("FrameTimeVector")
    step = dataset.get("FrameTime")
    if count > 1 and vector is not None and len(vector) == count:
        times["FrameTime"] = float(np.cumsum([float(v) for v in vector])[index])
    elif step not in (None, ""):
        # In single images FrameTime is the interval to the next one: the instance number counts them.
        times["FrameTime"] = float(step) * (index if count > 1 else int(dataset.get("InstanceNumber") or 0))
    for keyword in ("FrameReferenceDateTime", "FrameAcquisitionDateTime"):
        moment = look("FrameContentSequence", keyword)
        if moment is not None and (value := _date_time_ms(str(moment))) is not None:
            times["AcquisitionTime"] = value
            break
    else:
        clock = dataset.get("AcquisitionTime")
        if count == 1 and clock not in (None, "") and (value := _clock_ms(str(clock))) is not None:
            times["AcquisitionTime"] = value
    position = look("FrameContentSequence", "TemporalPositionIndex")
    position = position if position is not None else dataset.get("TemporalPositionIdentifier")
    if position not in (None, ""):
        times["TemporalPosition"] = float(position)
    return times


def _clock_ms(text: str) -> float | None:
    """DICOM TM (HHMMSS.ffffff) as milliseconds since midnight."""
    digits, _, fraction = text.strip().replace(":", "").partition(".")
    if not digits.isdigit() or len(digits) not in (2, 4, 6):
        return None
    padded = digits.ljust(6, "0")
    seconds = int(padded[:2]) * 3600 + int(padded[2:4]) * 60 + int(padded[4:6])
    return seconds * 1e3 + (float(f"0.{fraction}") * 1e3 if fraction.isdigit() else 0.0)


def _date_time_ms(text: str) -> float | None:
    """DICOM DT as milliseconds since 1970 (zone ignored: only differences are used)."""
    body = text.strip().split("+")[0].split("-")[0]
    date, clock = body[:8], body[8:]
    milliseconds = _clock_ms(clock or "00")
    try:
        day = datetime.strptime(date, "%Y%m%d")
    except ValueError:
        return None
    return None if milliseconds is None else (day - datetime(1970, 1, 1)) / timedelta(milliseconds=1) + milliseconds


def _first(container: Any, keyword: str) -> Any:
    sequence = container.get(keyword) if container is not None else None
    return sequence[0] if sequence else None


def _needed(dataset: Any, keyword: str, path: Path) -> Any:
    value = dataset.get(keyword)
    if value in (None, ""):
        raise InputError(f"{path.name} has no {keyword}: it is not an image.")
    return value


def rescaled(pixels: NDArray[Any], dataset: Any, index: int) -> NDArray[np.float32]:
    """Stored values times RescaleSlope plus RescaleIntercept, of the frame, shared or of the file."""
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    groups = [per_frame[index]] if per_frame is not None and len(per_frame) > index else []
    for group in (*groups, _first(dataset, "SharedFunctionalGroupsSequence")):
        item = _first(group, "PixelValueTransformationSequence")
        if item is not None:
            slope, intercept = item.get("RescaleSlope"), item.get("RescaleIntercept")
            break
    factor = 1.0 if slope in (None, "") else float(slope)
    offset = 0.0 if intercept in (None, "") else float(intercept)
    return np.asarray(pixels.astype(np.float64) * factor + offset, np.float32)
