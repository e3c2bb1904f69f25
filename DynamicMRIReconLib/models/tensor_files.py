"""Tensors and notes of a safetensors file: numbers and text, nothing that could be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from DynamicMRIReconLib.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def read_tensors(path: Path, what: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The notes of the file and its tensors by name; ``what`` it is begins the sentence when it cannot be read.

    Raises
    ------
    InputError
        If it is damaged or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
            return file.metadata() or {}, tensors
    except (SafetensorError, OSError) as error:
        raise InputError(f"{what} {path} cannot be read: it is no safetensors file, or damaged.") from error
