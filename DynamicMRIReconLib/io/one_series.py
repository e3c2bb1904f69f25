"""What formats that hold one image series say to anything else."""

from __future__ import annotations

from typing import Any

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError


def one_series(data: Any, what: str) -> ImageSeries:
    """``data``, an image series; ``what`` begins the sentence that refuses other data: "A GIF".

    Raises
    ------
    InputError
        Not an image series.
    """
    if isinstance(data, ImageSeries):
        return data
    kind = "k-space" if isinstance(data, KSpace) else "several stacks"
    raise InputError(f"{what} holds one image series, not {kind}.")
