"""DICOM files made in the test: classic cine and enhanced multi-frame, with known positions, times and values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

ROWS, COLUMNS = 7, 9
ROW = np.array([0.8, 0.6, 0.0])
COLUMN = np.array([0.0, 0.0, -1.0])
NORMAL = np.cross(ROW, COLUMN)
ORIGIN_LPS = np.array([-30.0, 12.0, 55.0])
# Between rows, between columns.
PIXEL_SPACING = (1.5, 1.25)
SERIES_UID = "1.2.826.0.1.3680043.8.498.1"


def value(phase: int, slice_: int, slope: float = 2.0, intercept: float = -5.0) -> float:
    """What the rescaled pixel [2, 3] of an image is; its neighbours differ."""
    return (100 * phase + 10 * slice_ + 1) * slope + intercept


def pixels(phase: int, slice_: int) -> np.ndarray:
    image = np.zeros((ROWS, COLUMNS), np.uint16)
    image[2, 3] = 100 * phase + 10 * slice_ + 1
    image[4, 1] = 7
    return image


def classic(path: Path, phase: int, slice_: int, *, gap_mm: float = 8.0, **tags: Any) -> Path:
    """One image a file. A tag given as None is left out."""
    dataset = _base(path, MRImageStorage)
    known: dict[str, Any] = {
        "SeriesInstanceUID": SERIES_UID,
        "SeriesDescription": "cine",
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "InstanceNumber": 20 * slice_ + phase + 1,
        "ImagePositionPatient": [float(v) for v in ORIGIN_LPS + NORMAL * gap_mm * slice_],
        "ImageOrientationPatient": [float(v) for v in (*ROW, *COLUMN)],
        "PixelSpacing": list(PIXEL_SPACING),
        "SliceThickness": 6.0,
        # Wrong on purpose: positions decide.
        "SpacingBetweenSlices": 10.0,
        "EchoTime": 1.5,
        "TriggerTime": 25.0 + 50.5 * phase,
        "RescaleSlope": 2.0,
        "RescaleIntercept": -5.0,
        "pixels": pixels(phase, slice_),
    }
    known.update(tags)
    _set_pixels(dataset, known.pop("pixels"))
    for name, content in known.items():
        if content is not None:
            setattr(dataset, name, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def cine(folder: Path, phases: int = 4, slices: int = 3, **tags: Any) -> Path:
    """A folder for each slice, neither folders nor files in the order of positions or times."""
    for slice_ in range(slices):
        for phase in range(phases):
            name = f"{(7 * phase) % 10:02d}_{phase:02d}.dcm"
            classic(folder / f"s{(5 * slice_ + 2) % 7}" / name, phase, slice_, **tags)
    return folder


def enhanced(path: Path, phases: int = 3, slices: int = 2, *, timing: str = "trigger", shared: bool = True) -> Path:
    """All images in one file, slices fastest backwards; ``timing`` is trigger, reference or position."""
    dataset = _base(path, EnhancedMRImageStorage)
    dataset.SeriesInstanceUID = SERIES_UID
    dataset.SeriesDescription = "enhanced"
    groups, images = [], []
    plane = _item(PlaneOrientationSequence=_item(ImageOrientationPatient=[float(v) for v in (*ROW, *COLUMN)]))
    plane.PixelMeasuresSequence = _sequence(_item(PixelSpacing=list(PIXEL_SPACING), SliceThickness=8.0))
    for phase in range(phases):
        for slice_ in reversed(range(slices)):
            content = _item(TemporalPositionIndex=phase + 1, StackID="1", InStackPositionNumber=slice_ + 1)
            if timing == "reference":
                content.FrameReferenceDateTime = f"20200102101010.{250000 + 40000 * phase + 5000 * slice_:06d}"
            position = [float(v) for v in ORIGIN_LPS + NORMAL * 8.0 * slice_]
            group = _item(FrameContentSequence=content, PlanePositionSequence=_item(ImagePositionPatient=position))
            slope = 1.0 + phase
            group.PixelValueTransformationSequence = _sequence(_item(RescaleSlope=slope, RescaleIntercept=3.0))
            if timing == "trigger":
                trigger = _item(NominalCardiacTriggerDelayTime=12.5 + 40.0 * phase)
                group.CardiacSynchronizationSequence = _sequence(trigger)
            if not shared:
                group.PlaneOrientationSequence = plane.PlaneOrientationSequence
                group.PixelMeasuresSequence = plane.PixelMeasuresSequence
            groups.append(group)
            images.append(pixels(phase, slice_))
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    dataset.SharedFunctionalGroupsSequence = _sequence(plane if shared else Dataset())
    dataset.NumberOfFrames = len(images)
    _set_pixels(dataset, np.stack(images))
    dataset.save_as(path, enforce_file_format=True)
    return path


def _base(path: Path, storage: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = storage
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality = "MR"
    dataset.PatientName = "Nobody"
    return dataset


def _set_pixels(dataset: Dataset, image: np.ndarray | None) -> None:
    if image is None:
        return
    dataset.Rows, dataset.Columns = image.shape[-2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    dataset.PixelData = image.astype("<u2").tobytes()


def _item(**content: Any) -> Dataset:
    item = Dataset()
    for name, part in content.items():
        setattr(item, name, _sequence(part) if isinstance(part, Dataset) else part)
    return item


def _sequence(item: Dataset) -> Sequence:
    return Sequence([item])
