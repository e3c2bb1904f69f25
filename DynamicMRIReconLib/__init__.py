"""Dynamic MRI reconstruction: read k-space or a cine series, reconstruct, measure, write. Not for diagnostic use.

>>> import DynamicMRIReconLib as dmr
>>> data = dmr.read("scan.h5")
>>> series = dmr.reconstruct(data, "cg-sense", iterations=10)
>>> dmr.write("out.seq.nrrd", series)

Everything is imported on first use: importing the package itself takes milliseconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_LAZY = {
    "read": "io",
    "write": "io",
    "info": "io",
    "reconstruct": "pipeline",
    "evaluate": "evaluation",
    "line_profile": "profiles",
    "ImageSeries": "data",
    "KSpace": "data",
    "Geometry": "data",
    "right_handed": "data",
    "InputError": "errors",
    "ResourceError": "errors",
    "Cancelled": "errors",
}
__all__ = [
    "Cancelled",
    "Geometry",
    "ImageSeries",
    "InputError",
    "KSpace",
    "ResourceError",
    "evaluate",
    "info",
    "line_profile",
    "read",
    "reconstruct",
    "right_handed",
    "write",
]

if TYPE_CHECKING:
    from DynamicMRIReconLib.data import Geometry, ImageSeries, KSpace, right_handed
    from DynamicMRIReconLib.errors import Cancelled, InputError, ResourceError
    from DynamicMRIReconLib.evaluation.evaluate import evaluate
    from DynamicMRIReconLib.io import info, read, write
    from DynamicMRIReconLib.pipeline import reconstruct
    from DynamicMRIReconLib.profiles.line_profile import line_profile


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
