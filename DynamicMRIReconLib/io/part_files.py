"""The parts of a series (such as ``low-rank`` and ``sparse``) as files beside its own, for formats that hold one array.

``out.seq.nrrd`` has its parts in ``out.low-rank.seq.nrrd`` and ``out.sparse.seq.nrrd``. A format module that keeps them
inside its one file says so by ``KEEPS_PARTS = True``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.io import formats


def part_paths(path: Path, parts: Iterable[str]) -> dict[str, Path]:
    """Where ``write_parts`` puts the parts of the series in ``path``, by their names; empty where they lie inside.

    Raises
    ------
    InputError
        Unknown suffix.
    """
    module, suffix = formats.for_writing(path)
    if getattr(module, "KEEPS_PARTS", False):
        return {}
    stem, ending = path.name[: -len(suffix)], path.name[-len(suffix) :]
    return {name: path.with_name(f"{stem}.{name}{ending}") for name in parts}


def write_parts(path: Path, series: ImageSeries) -> dict[str, Path]:
    """Write the parts of ``series`` beside ``path``, each file whole or not at all; gives their paths by name.

    Raises
    ------
    InputError, ResourceError
        As ``io.write``.
    """
    paths = part_paths(path, series.parts)
    for name, place in paths.items():
        io.write(place, series.part(name))
    return paths
