"""The metadata of data classes as text in a file, and back."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np

logger = logging.getLogger(__name__)


def metadata_to_text(metadata: dict[str, Any]) -> str:
    """JSON of ``metadata``; numpy numbers and arrays become plain ones, anything else that JSON lacks its text."""
    return json.dumps(metadata, default=_plain)


def metadata_from_text(text: str | None) -> dict[str, Any]:
    """The dict that ``metadata_to_text`` wrote; an empty one for no text or text that is no JSON object."""
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        logger.warning("The file's metadata are no JSON object and are left out.")
        return {}
    if not isinstance(value.get("warnings", []), list):
        value["warnings"] = [str(value["warnings"])]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
