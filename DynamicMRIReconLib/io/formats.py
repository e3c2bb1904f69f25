"""Which module of this package reads or writes which file.

A format is a module here that exports ``NAME``, ``SUFFIXES`` and ``read``; nothing else has to be told about it.
Optional exports: ``write(path, data)`` (writes exactly ``path``), ``parts(data) -> tuple[str, ...]`` (for formats of
several files: their endings, first the one that ``write`` is given; it writes the others beside it),
``recognises(path) -> bool`` (folders, files without a telling name, suffixes that several formats share),
``WRITABLE`` (those of ``SUFFIXES`` that ``write`` takes, where not all),
``OPTIONS`` (names of the ``ReadOptions`` it heeds; others are refused), ``WRITE_OPTIONS`` (what ``write`` takes
besides), ``KEEPS_PARTS`` (see ``part_files``) and ``REGROUPS`` (true when the reader makes the frames of
``shots_per_frame`` itself; otherwise they are made of what it gives).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from DynamicMRIReconLib.errors import InputError


@cache
def all_formats() -> tuple[ModuleType, ...]:
    """The format modules, sorted by name."""
    package = importlib.import_module("DynamicMRIReconLib.io")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return tuple(module for module in modules if hasattr(module, "NAME"))


def suffixes(*, writable: bool = False) -> list[str]:
    """Known file name suffixes, sorted; with ``writable`` only those that can be written."""
    if not writable:
        return sorted({s for module in all_formats() for s in module.SUFFIXES})
    writers = [module for module in all_formats() if hasattr(module, "write")]
    return sorted({s for module in writers for s in getattr(module, "WRITABLE", module.SUFFIXES)})


def suffix_of(path: Path, module: ModuleType) -> str | None:
    """The longest of the format's suffixes that ends the file's name, whatever its case; None if none does."""
    matches = [s for s in module.SUFFIXES if path.name.lower().endswith(s)]
    return max(matches, key=len, default=None)


def for_reading(path: Path) -> ModuleType:
    """The format of an existing file or folder.

    Raises
    ------
    InputError
        No format knows it; the message lists the known suffixes.
    """
    if path.is_dir():
        for module in all_formats():
            if _recognises(module, path):
                return module
        raise InputError(
            f"{path} is a folder in which no known data was found: name a file, or a folder of DICOM files."
        )
    named = _by_suffix(path, all_formats())
    if len(named) > 1:
        # Several formats share a suffix (.hdr) or one ends like another (.seq.nrrd, .nrrd): the content decides.
        named = [module for module in named if _recognises(module, path) is not False] or named
    if named:
        return named[0]
    for module in all_formats():
        if _recognises(module, path):
            return module
    raise InputError(f"{path.name} has no known file type; known are {', '.join(suffixes())}.")


def for_writing(path: Path) -> tuple[ModuleType, str]:
    """The format that writes ``path`` and the suffix that says so.

    Raises
    ------
    InputError
        No format writes such a file; the message lists the suffixes that can be written.
    """
    named = _by_suffix(path, tuple(module for module in all_formats() if hasattr(module, "write")))
    if not named:
        known = ", ".join(suffixes(writable=True))
        raise InputError(f"{path.name} does not end in a file type that can be written; these can: {known}.")
    suffix = suffix_of(path, named[0])
    assert suffix is not None
    return named[0], suffix


def _by_suffix(path: Path, modules: tuple[ModuleType, ...]) -> list[ModuleType]:
    matching = [(suffix, module) for module in modules if (suffix := suffix_of(path, module))]
    return [module for _, module in sorted(matching, key=lambda pair: -len(pair[0]))]


def _recognises(module: ModuleType, path: Path) -> bool | None:
    """What the format says of the file; None when it cannot tell."""
    test: Callable[[Path], Any] | None = getattr(module, "recognises", None)
    return None if test is None else bool(test(path))
