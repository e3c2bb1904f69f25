"""Every kind of file that the program reads."""

from __future__ import annotations

from fuzz_parts import (
    array_formats,
    dicom_formats,
    job_formats,
    movie_formats,
    nifti_formats,
    nrrd_formats,
    raw_formats,
    side_formats,
    sound_formats,
    training_formats,
    weight_formats,
)
from fuzz_parts.case import Format


def formats() -> list[Format]:
    """In the order of the table."""
    modules = (
        *(array_formats, raw_formats, side_formats, dicom_formats, nifti_formats, nrrd_formats, movie_formats),
        *(sound_formats, job_formats, weight_formats, training_formats),
    )
    return [one for module in modules for one in module.formats()]
