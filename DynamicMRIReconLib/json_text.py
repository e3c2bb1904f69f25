"""JSON that may come from anybody."""

from __future__ import annotations

import json
from typing import Any


def parsed_json(text: str | bytes) -> Any:
    """What ``text`` says.

    Raises
    ------
    ValueError
        It is no JSON, or its brackets nest deeper than anything that is meant.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("its brackets nest too deeply") from error
