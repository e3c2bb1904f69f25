"""The metadata of data classes as text in a file, and back."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np

from DynamicMRIReconLib.json_text import parsed_json

logger = logging.getLogger(__name__)


def metadata_to_text(metadata: dict[str, Any]) -> str:
    """JSON of ``metadata``; numpy numbers and arrays become plain ones, anything else that JSON lacks its text."""
    return json.dumps(metadata, default=_plain)


def metadata_from_text(text: str | None) -> dict[str, Any]:
    """The dict that ``metadata_to_text`` wrote; an empty one for no text or text that is no JSON object."""
    if not text:
        return {}
    try:
        value = checked_notes(parsed_json(text))
    except ValueError:
        value = None
    if value is None:
        logger.warning("The file's metadata are no JSON object and are left out.")
        return {}
    return value


def checked_notes(value: Any) -> dict[str, Any] | None:
    """``value`` as notes whose ``warnings`` are a list of sentences; None when it is no dict."""
    if not isinstance(value, dict):
        return None
    if "warnings" in value:
        warnings = value["warnings"]
        value["warnings"] = [str(one) for one in (warnings if isinstance(warnings, list) else [warnings])]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
