"""BART's pair of files: a text header with 16 sizes and complex64 values in column-major order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.errors import InputError

DIMENSIONS = 16


def base_of(path: Path) -> Path:
    """The name both files share."""
    return path.with_suffix("") if path.suffix.lower() in (".cfl", ".hdr") else path


def load_cfl(path: Path) -> NDArray[np.complex64]:
    """The array (16 axes, BART's order) of the pair that ``path`` (either file, or the shared name) belongs to.

    Raises
    ------
    InputError
        One of the files is missing, the header is damaged, or the sizes differ from the data's.
    """
    base = base_of(path)
    header, values = Path(f"{base}.hdr"), Path(f"{base}.cfl")
    for file in (header, values):
        if not file.is_file():
            raise InputError(f"{file.name} is missing: BART data are two files, {values.name} and {header.name}.")
    sizes = _sizes(header)
    expected = 8
    for size in sizes:
        expected *= size
    found = values.stat().st_size
    if expected != found:
        raise InputError(
            f"{values.name} holds {found} bytes but {header.name} announces {expected}: the pair is damaged."
        )
    array = spool.empty(tuple(sizes[::-1]), "<c8")
    with values.open("rb") as stored:
        if spool.fill(stored, array) < expected:
            raise InputError(f"{values.name} was cut short while it was read.")
    return array.transpose().astype(np.complex64, copy=False)


def save_cfl(path: Path, array: NDArray[Any]) -> None:
    """Write ``array`` (axes in BART's order) to ``path`` (ends in .cfl) and the .hdr beside it."""
    sizes = [*array.shape, *[1] * (DIMENSIONS - array.ndim)]
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(str(n) for n in sizes) + " \n", encoding="ascii")
    # with the slowest axis first, blocks lie in the file one after the other
    slowest_first = array.transpose()
    flat = slowest_first.reshape([n for n in slowest_first.shape if n > 1] or [1])
    with path.open("wb") as file:
        for part in spool.blocks(flat):
            file.write(np.ascontiguousarray(flat[part], "<c8").data)


def _sizes(header: Path) -> list[int]:
    try:
        lines = header.read_text(encoding="utf-8", errors="replace").splitlines()
        sizes = [int(word) for word in lines[lines.index("# Dimensions") + 1].split()]
    except (ValueError, IndexError) as error:
        raise InputError(f"{header.name} is not a BART header: it has no line of dimensions.") from error
    if len(sizes) > DIMENSIONS:
        raise InputError(f"{header.name} has {len(sizes)} dimensions, but BART has {DIMENSIONS}: it is damaged.")
    if not sizes or min(sizes) < 1:
        raise InputError(f"{header.name} has impossible dimensions: {sizes}.")
    return sizes + [1] * (DIMENSIONS - len(sizes))
