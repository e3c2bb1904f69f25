"""Files that a method writes beside its result, to a name that a parameter gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from DynamicMRIReconLib.errors import InputError


def check_side_file(parameter: str, path: Path, suffix: str, kind: str, is_one: Callable[[Path], bool]) -> None:
    """Refuse to write a ``kind`` of file to ``path`` before time is spent on it.

    Raises
    ------
    InputError
        If its folder is missing, its suffix is another, or it is a file of which ``is_one`` says no: a parameter of a
        job from elsewhere must not be able to replace anything else.
    """
    if not path.name.endswith(suffix):
        raise InputError(f"{parameter}, {path}, must end in {suffix}.")
    if not path.resolve().parent.is_dir():
        raise InputError(f"The folder of {parameter}, {path}, does not exist: create it first, or name another.")
    if path.exists() and not is_one(path):
        raise InputError(f"{parameter}, {path}, exists and is no {kind}: name another file.")
