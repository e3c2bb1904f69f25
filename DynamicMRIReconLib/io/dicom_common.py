"""What every derived DICOM file of a series has in common: who and what, stored values, position, the way to disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import DynamicMRIReconLib
from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.dicom_private import add_metadata
from DynamicMRIReconLib.io.series_times import frame_interval_s

NOTICE = "Not for diagnostic use."
SYNTHETIC = "Synthetic frame: interpolated, not measured."
PROGRAM = "dynamic-mri-recon"

_SOFTWARE = f"{PROGRAM} {DynamicMRIReconLib.__version__}"
_MOST = 65535
_PERPENDICULAR = 1e-4


@dataclass(frozen=True)
class StoredImages:
    """A series as DICOM keeps it.

    Attributes
    ----------
    pixels
        (frames, z, y, x) uint16; ``pixels * slope + intercept`` is the series within half a ``slope``.
    slope, intercept
        As decimal strings, exactly what is written.
    window
        Centre and width that show all but the darkest 0.5 % and the brightest 0.2 %.
    positions
        (z, 3) LPS millimetres of the first voxel of each slice.
    orientation
        LPS unit vectors of rising x, then of rising y: six numbers.
    spacing_mm
        Voxel size along x, y and z.
    times_ms
        (frames,) milliseconds.
    """

    pixels: NDArray[np.uint16]
    slope: str
    intercept: str
    window: tuple[str, str]
    positions: NDArray[np.float64]
    orientation: list[str]
    spacing_mm: NDArray[np.float64]
    times_ms: NDArray[np.float64]


def stored(series: ImageSeries) -> StoredImages:
    """The magnitudes of ``series`` as 16-bit values with position and times in DICOM's units.

    Raises
    ------
    InputError
        The image axes x and y are not at right angles, which no DICOM image can be.
    """
    array = series.magnitude().array
    directions = np.diag([-1.0, -1.0, 1.0]) @ series.geometry.directions
    if abs(float(directions[:, 0] @ directions[:, 1])) > _PERPENDICULAR:
        raise InputError("The rows and columns of these images are not at right angles: DICOM cannot hold them.")
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ series.affine
    slices = np.arange(array.shape[1])
    slope, intercept = _scale(array)

    def pixels(images: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.clip(np.rint((images.astype(np.float64) - float(intercept)) / float(slope)), 0, _MOST)

    low, high = (spool.percentile(array, percent) for percent in (0.5, 99.8))
    return StoredImages(
        pixels=spool.mapped(pixels, array, np.uint16),
        slope=slope,
        intercept=intercept,
        window=(decimal((low + high) / 2), decimal(high - low if high > low else 1.0)),
        positions=to_lps[:3, 3] + slices[:, None] * to_lps[:3, 2],
        orientation=[decimal(value) for value in directions[:, :2].T.ravel()],
        spacing_mm=series.geometry.spacing_mm,
        times_ms=series.times_s * 1e3,
    )


def _scale(array: NDArray[Any]) -> tuple[str, str]:
    """Slope and intercept; whole numbers that fit are kept as they are."""
    low, high = float(array.min()), float(array.max())
    intercept = decimal(min(0.0, low))
    span = high - float(intercept)
    if span <= _MOST and all((array[p] == np.rint(array[p])).all() for p in spool.blocks(array)):
        return "1", intercept
    return decimal(span / _MOST), intercept


def decimal(value: float) -> str:
    """A number as DICOM's decimal string (at most 16 characters)."""
    from pydicom.valuerep import format_number_as_ds

    # Adding zero turns -0.0 into 0.
    number = float(value) + 0.0
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else str(format_number_as_ds(number))


def derivation(series: ImageSeries) -> str:
    """How the images came about, in a sentence or two of at most 1024 characters, with the notice."""
    origin = _origin(series)
    made = f"{_title(series)} by {origin.get('software') or _SOFTWARE}."
    if origin.get("simulated_acquisition") or series.metadata.get("simulated"):
        made += " From a simulated acquisition."
    parameters = origin.get("parameters")
    values = ", ".join(f"{k}={v}" for k, v in parameters.items()) if isinstance(parameters, dict) else ""
    room = 1024 - len(made) - len(NOTICE) - 20
    return f"{made}{f' Parameters: {values[:room]}.' if values else ''} {NOTICE}"


def _origin(series: ImageSeries) -> dict[str, Any]:
    origin = series.metadata.get("provenance")
    return origin if isinstance(origin, dict) else {}


def _title(series: ImageSeries) -> str:
    from DynamicMRIReconLib.methods import registry

    key = str(_origin(series).get("method") or "")
    known = registry.all_methods()
    return f"{known[key].title} ({key})" if key in known else key or "Image series written"


def new_dataset(series: ImageSeries, images: StoredImages, storage: str, identity: dict[str, Any]) -> Any:
    """A data set with everything that does not depend on the frame; ``identity`` holds the study's and series' tags."""
    from pydicom.dataset import Dataset

    now = datetime.now()
    dataset = Dataset()
    dataset.SOPClassUID = storage
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for name, value in identity.items():
        setattr(dataset, name, value)
    dataset.Modality = "MR"
    dataset.Manufacturer = "DynamicMRIRecon"
    dataset.ManufacturerModelName = PROGRAM
    dataset.SoftwareVersions = DynamicMRIReconLib.__version__
    dataset.InstanceCreationDate = dataset.SeriesDate = dataset.ContentDate = now.strftime("%Y%m%d")
    dataset.InstanceCreationTime = dataset.SeriesTime = dataset.ContentTime = now.strftime("%H%M%S.%f")
    dataset.SeriesNumber = 1
    dataset.SeriesDescription = _short(_title(series))
    dataset.PatientPosition = ""
    dataset.PositionReferenceIndicator = ""
    dataset.DerivationDescription = derivation(series)
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    if series.frames > 1:
        dataset.FrameTime = decimal(frame_interval_s(series.times_s) * 1e3)
    dataset.Rows, dataset.Columns = images.pixels.shape[2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    add_metadata(dataset, _notes(series))
    return dataset


def _notes(series: ImageSeries) -> dict[str, Any]:
    notes = dict(series.metadata)
    if series.array.dtype.kind == "c":
        notes["written_as"] = "magnitude of a complex series"
    return notes


def _short(title: str) -> str:
    """A series description, the first thing a viewer shows: at most 64 characters with the notice."""
    ending = ", not for diagnostic use"
    return title[: 64 - len(ending)] + ending


def save(dataset: Any, path: Path) -> None:
    """Write a data set as a DICOM file, explicit little endian, under a new UID."""
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    dataset.SOPInstanceUID = generate_uid(prefix=None)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    if int(pydicom.__version__.split(".")[0]) >= 3:
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
        return
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    pydicom.dcmwrite(path, dataset, write_like_original=False)
