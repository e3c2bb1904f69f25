"""SHA-256 of inputs: proof that a repeat works on the same data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from DynamicMRIReconLib.errors import InputError

_PIECE = 4 << 20
#: formats of two files: the other one belongs to the content
_PAIRS = {".cfl": ".hdr", ".hdr": ".cfl"}


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; no as well for a name that no folder can have."""
    return os.path.isdir(path)  # noqa: PTH112  Path raises where a name is too long


def files_of(path: Path) -> list[Path]:
    """The files that make up an input: itself; both of a .cfl/.hdr pair, named with or without suffix; a folder's.

    Raises
    ------
    InputError
        There is no such file or folder.
    """
    if is_folder(path):
        return sorted(one for one in path.rglob("*") if one.is_file())
    if os.path.isfile(path):  # noqa: PTH113  Path raises where a name is too long for a file
        other = path.with_suffix(_PAIRS[path.suffix]) if path.suffix in _PAIRS else path
        return sorted({path, other}) if other.is_file() else [path]
    pair = [Path(f"{path}{suffix}") for suffix in sorted(_PAIRS)]
    if all(os.path.isfile(one) for one in pair):  # noqa: PTH113
        return pair
    raise InputError(f"{path} does not exist: check the name.")


def sha256_of(path: Path, each_piece: Callable[[], None] = lambda: None) -> str:
    """Hex SHA-256 of an input.

    Of one file it is what ``sha256sum`` prints; of several it is the hash of "hash, two blanks, relative name" lines.
    ``each_piece`` is called every 4 MiB and may raise to stop.

    Raises
    ------
    InputError
        It does not exist or cannot be read.
    """
    parts = files_of(path)
    root = path if path.is_dir() else path.parent
    try:
        if len(parts) == 1 and not path.is_dir():
            return _of_file(parts[0], each_piece)
        lines = [f"{_of_file(part, each_piece)}  {part.relative_to(root).as_posix()}\n" for part in parts]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _of_file(path: Path, each_piece: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            each_piece()
    return digest.hexdigest()
