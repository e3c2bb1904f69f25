"""A series as a folder of single DICOM images (MR Image Storage), one for each slice and frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.io import dicom_common
from DynamicMRIReconLib.io.dicom_private import mark_synthetic

_STORAGE = "1.2.840.10008.5.1.4.1.1.4"


def write_folder(folder: Path, series: ImageSeries, identity: dict[str, Any]) -> None:
    """Make ``folder`` and write ``slice000_frame0000.dcm`` and so on into it.

    Frame times are TriggerTime in milliseconds, exact to a nanosecond; FrameTime is their mean distance.
    """
    images = dicom_common.stored(series)
    dataset = dicom_common.new_dataset(series, images, _STORAGE, identity)
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.ScanningSequence, dataset.SequenceVariant = "RM", "NONE"
    dataset.MRAcquisitionType = dataset.EchoTime = dataset.EchoTrainLength = dataset.RepetitionTime = ""
    # The standard allows TriggerTime, by which viewers order a cine, only together with gating.
    dataset.ScanOptions = "CG"
    dataset.Laterality = ""
    dataset.NumberOfTemporalPositions = series.frames
    dataset.ImageOrientationPatient = images.orientation
    width, height, step = (dicom_common.decimal(size) for size in images.spacing_mm)
    dataset.PixelSpacing = [height, width]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = step
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = images.slope, images.intercept, "US"
    dataset.WindowCenter, dataset.WindowWidth = images.window
    dataset.VOILUTFunction = "LINEAR_EXACT"
    described = dataset.DerivationDescription
    assert series.synthetic is not None
    folder.mkdir()
    frames, slices = images.pixels.shape[:2]
    for frame in range(frames):
        one = _copy(dataset)
        one.TriggerTime = dicom_common.decimal(images.times_ms[frame])
        one.TemporalPositionIdentifier = frame + 1
        if series.synthetic[frame]:
            one.ImageComments = dicom_common.SYNTHETIC
            one.DerivationDescription = f"{dicom_common.SYNTHETIC} {described}"[:1024]
            mark_synthetic(one)
        for z in range(slices):
            one.InstanceNumber = frame * slices + z + 1
            one.ImagePositionPatient = [dicom_common.decimal(value) for value in images.positions[z]]
            one.PixelData = images.pixels[frame, z].astype("<u2").tobytes()
            dicom_common.save(one, folder / f"slice{z:03d}_frame{frame:04d}.dcm")
        spool.trim()


def _copy(dataset: Any) -> Any:
    """A data set of its own with the same elements, which are replaced and never changed."""
    from pydicom.dataset import Dataset

    copied = Dataset()
    copied.update(dict(dataset.items()))
    return copied
