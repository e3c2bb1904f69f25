"""Whose images: new and nameless by default; patient and study of other DICOM files only where they are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import InputError

PATIENT = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
)
STUDY = (
    "StudyInstanceUID",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)
#: tags that every image has, empty where nothing is known
_ALWAYS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def identity(patient_from: Path | None = None) -> dict[str, Any]:
    """Tags of patient, study, series and frame of reference; all UIDs are new, except the study's of ``patient_from``.

    Parameters
    ----------
    patient_from
        DICOM file, or folder with DICOM files of one study, whose patient and study the images belong to.

    Raises
    ------
    InputError
        It is no DICOM, or holds several studies.
    """
    from pydicom.uid import generate_uid

    tags: dict[str, Any] = dict.fromkeys(_ALWAYS, "")
    tags["StudyInstanceUID"] = generate_uid(prefix=None)
    if patient_from is not None:
        tags.update(_of_study(patient_from))
    tags["SeriesInstanceUID"] = generate_uid(prefix=None)
    tags["FrameOfReferenceUID"] = generate_uid(prefix=None)
    return tags


def _of_study(path: Path) -> dict[str, Any]:
    from DynamicMRIReconLib.io import dicom_files

    if not path.exists():
        raise InputError(f"{path} does not exist: name the DICOM file or folder with the patient and study to keep.")
    found: dict[str, Any] = {}
    for file in dicom_files.dicom_files_in(path):
        dataset = dicom_files.load(file, pixels=False)
        with dicom_files.reading_tags(file):
            tags = {name: dataset.get(name) for name in (*PATIENT, *STUDY) if _is_valid(dataset, name)}
        if "StudyInstanceUID" not in tags:
            continue
        other = found.get("StudyInstanceUID", tags["StudyInstanceUID"])
        if tags["StudyInstanceUID"] != other:
            raise InputError(f"{path.name} holds several studies: name one file of the study to keep.")
        found = {**tags, **found}
    if not found:
        raise InputError(f"{path.name} holds no DICOM study whose patient could be kept.")
    return found


def _is_valid(dataset: Any, name: str) -> bool:
    """Whether a tag has a value that may be written: pydicom refuses files with others."""
    from pydicom import config
    from pydicom.dataelem import DataElement

    if dataset.get(name) in (None, ""):
        return False
    element = dataset[name]
    try:
        DataElement(element.tag, element.VR, element.value, validation_mode=config.RAISE)
    except ValueError:
        return False
    return True
