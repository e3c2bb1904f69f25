"""Every kind of file that the program reads."""

from __future__ import annotations

from fuzz_parts import array_formats, dicom_formats, image_formats, raw_formats, side_formats, text_formats
from fuzz_parts.case import Format


def formats() -> list[Format]:
    """In the order of the table."""
    modules = (array_formats, raw_formats, side_formats, dicom_formats, image_formats, text_formats)
    return [one for module in modules for one in module.formats()]
