"""What DICOM has no tag for: a private block with the notes on a series and the mark of interpolated frames.

Readers that do not know the block ignore it. Group 0x0099, private creator ``DynamicMRIRecon``.
"""

from __future__ import annotations

from typing import Any

from DynamicMRIReconLib.io.metadata import metadata_from_text, metadata_to_text

CREATOR = "DynamicMRIRecon"

_GROUP = 0x0099
_METADATA, _SYNTHETIC = 0x01, 0x02


def add_metadata(dataset: Any, metadata: dict[str, Any]) -> None:
    """Keep ``metadata`` as JSON in a data set."""
    block = dataset.private_block(_GROUP, CREATOR, create=True)
    block.add_new(_METADATA, "UT", metadata_to_text(metadata))


def mark_synthetic(dataset: Any) -> None:
    """Mark a data set (of a file, or of a frame's functional groups) as one of an interpolated frame."""
    dataset.private_block(_GROUP, CREATOR, create=True).add_new(_SYNTHETIC, "CS", "YES")


def metadata_of(dataset: Any) -> dict[str, Any] | None:
    """The notes that ``add_metadata`` kept; None in files of other programs."""
    text = _value(dataset, _METADATA)
    return None if text is None else metadata_from_text(str(text))


def is_synthetic(dataset: Any) -> bool:
    """True where ``mark_synthetic`` was here."""
    return bool(_value(dataset, _SYNTHETIC) == "YES")


def _value(dataset: Any, element: int) -> Any:
    try:
        block = dataset.private_block(_GROUP, CREATOR)
        return block[element].value if element in block else None
    except KeyError:
        return None
