"""A series as one enhanced multi-frame DICOM file (Enhanced MR Image Storage)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.io import dicom_common
from DynamicMRIReconLib.io.dicom_common import StoredImages, decimal
from DynamicMRIReconLib.io.dicom_private import mark_synthetic

_STORAGE = "1.2.840.10008.5.1.4.1.1.4.1"
_TYPE = ["DERIVED", "PRIMARY", "OTHER", "NONE"]
_STACK = "1"


def write_file(path: Path, series: ImageSeries, identity: dict[str, Any]) -> None:
    """Write all frames and slices into one file.

    Frame times are NominalCardiacTriggerDelayTime, a double in milliseconds; FrameTime is their mean distance. The
    image type says PRIMARY where single images say SECONDARY: the standard knows no other for enhanced MR images.
    """
    images = dicom_common.stored(series)
    dataset = dicom_common.new_dataset(series, images, _STORAGE, identity)
    dataset.InstanceNumber = 1
    dataset.ImageType = _TYPE
    dataset.DeviceSerialNumber = "none"
    _say_kind(dataset)
    dataset.ContentQualification = "RESEARCH"
    # The standard wants a value for every enhanced MR image, derived ones as well.
    dataset.ApplicableSafetyStandardAgency = "UNKNOWN"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.AcquisitionContextSequence = []
    frames, slices = images.pixels.shape[:2]
    dataset.NumberOfFrames = frames * slices
    _dimensions(dataset)
    dataset.SharedFunctionalGroupsSequence = [_shared(images)]
    dataset.PerFrameFunctionalGroupsSequence = [
        _of_frame(series, images, frame, z) for frame in range(frames) for z in range(slices)
    ]
    dataset.PixelData = np.ascontiguousarray(images.pixels, "<u2").tobytes()
    dicom_common.save(dataset, path)


def _item(**content: Any) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    for name, value in content.items():
        setattr(item, name, value)
    return item


def _say_kind(target: Any) -> None:
    target.PixelPresentation = "MONOCHROME"
    target.VolumetricProperties = "VOLUME"
    target.VolumeBasedCalculationTechnique = "NONE"
    target.ComplexImageComponent = "MAGNITUDE"
    target.AcquisitionContrast = "UNKNOWN"


def _dimensions(dataset: Any) -> None:
    """Frames are indexed by time, then by slice."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.uid import generate_uid

    uid = generate_uid(prefix=None)
    dataset.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=uid)]
    dataset.DimensionIndexSequence = [
        _item(
            DimensionOrganizationUID=uid,
            DimensionIndexPointer=tag_for_keyword(keyword),
            FunctionalGroupPointer=tag_for_keyword("FrameContentSequence"),
        )
        for keyword in ("TemporalPositionIndex", "InStackPositionNumber")
    ]


def _shared(images: StoredImages) -> Any:
    width, height, step = (decimal(size) for size in images.spacing_mm)
    centre, window = images.window
    kind = _item(FrameType=_TYPE)
    _say_kind(kind)
    return _item(
        PixelMeasuresSequence=[_item(PixelSpacing=[height, width], SliceThickness=step, SpacingBetweenSlices=step)],
        PlaneOrientationSequence=[_item(ImageOrientationPatient=images.orientation)],
        FrameAnatomySequence=[_item(FrameLaterality="U", AnatomicRegionSequence=[_anywhere()])],
        PixelValueTransformationSequence=[
            _item(RescaleSlope=images.slope, RescaleIntercept=images.intercept, RescaleType="US")
        ],
        FrameVOILUTSequence=[_item(WindowCenter=centre, WindowWidth=window, VOILUTFunction="LINEAR_EXACT")],
        MRImageFrameTypeSequence=[kind],
    )


def _anywhere() -> Any:
    """The body part is not known: SNOMED's code for the whole body."""
    return _item(CodeValue="38266002", CodingSchemeDesignator="SCT", CodeMeaning="Entire body")


def _of_frame(series: ImageSeries, images: StoredImages, frame: int, z: int) -> Any:
    content = _item(
        DimensionIndexValues=[frame + 1, z + 1],
        StackID=_STACK,
        InStackPositionNumber=z + 1,
        TemporalPositionIndex=frame + 1,
    )
    group = _item(
        FrameContentSequence=[content],
        PlanePositionSequence=[_item(ImagePositionPatient=[decimal(value) for value in images.positions[z]])],
        CardiacSynchronizationSequence=[_item(NominalCardiacTriggerDelayTime=float(images.times_ms[frame]))],
    )
    assert series.synthetic is not None
    if series.synthetic[frame]:
        content.FrameComments = dicom_common.SYNTHETIC
        mark_synthetic(group)
    return group
