"""The methods a user can pick, with or without the packages that run them.

The library's registry needs pydantic, which Slicer does not bring; before it is installed the list comes from
``Resources/methods.json``, which ``python -m DynamicMRIReconSlicer.methodList`` writes and a test keeps up to date.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

SNAPSHOT = Path(__file__).resolve().parents[1] / "Resources" / "methods.json"
#: the order in which presets are offered; any others follow
PRESET_ORDER = ("fast", "standard", "faithful")


def methods() -> list[dict[str, Any]]:
    """Every method as ``DynamicMRIReconLib.methods.registry.describe`` gives it."""
    try:
        return fromRegistry()
    except ImportError:
        return fromSnapshot()


def fromRegistry() -> list[dict[str, Any]]:
    """The methods of the library.

    Raises
    ------
    ImportError
        A package that the registry needs is not installed.
    """
    from DynamicMRIReconLib.methods import registry

    described: list[dict[str, Any]] = json.loads(json.dumps(registry.describe_all()))
    return described


def fromSnapshot() -> list[dict[str, Any]]:
    """The methods as they were when the module was packaged."""
    listed: list[dict[str, Any]] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return listed


def writeSnapshot() -> Path:
    """Write the registry's methods to ``Resources/methods.json``."""
    SNAPSHOT.write_text(json.dumps(fromRegistry(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return SNAPSHOT


@functools.cache
def titles(kind: str) -> dict[str, str]:
    """Titles by key of the methods that take ``kind``; asked for often, so from the snapshot, once."""
    return {method["key"]: method["title"] for method in fromSnapshot() if method["input_kind"] == kind}


def find(key: str) -> dict[str, Any] | None:
    """The method with this key."""
    return next((method for method in methods() if method["key"] == key), None)


def presetNames(method: dict[str, Any]) -> list[str]:
    """Its presets, the common ones first."""
    known = [name for name in PRESET_ORDER if name in method["presets"]]
    return known + [name for name in method["presets"] if name not in known]


def presetValues(method: dict[str, Any], preset: str) -> dict[str, Any]:
    """Every parameter's value in a preset."""
    values = {entry["name"]: entry["default"] for entry in method["parameters"]}
    return {**values, **method["presets"].get(preset, {})}


def problem(key: str, values: dict[str, Any]) -> str | None:
    """What is wrong with parameter values, as far as the library is there to check them."""
    try:
        from DynamicMRIReconLib.methods import registry
    except ImportError:
        return None
    from DynamicMRIReconLib.errors import InputError

    try:
        registry.get(key).parameters(**values)
    except InputError as error:
        return str(error)
    return None


if __name__ == "__main__":
    writeSnapshot()
