"""The registration of stacks as ITK transform files, which 3D Slicer loads as linear transform nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from DynamicMRIReconLib.errors import ResourceError
from DynamicMRIReconLib.io.atomic import atomic_files
from DynamicMRIReconLib.registration.itk_images import transform_of

SUFFIX = ".tfm"


def transform_paths(output: Path, suffix: str, count: int) -> list[Path]:
    """Where the transforms of ``count`` stacks lie beside ``output``, whose name ends in ``suffix``."""
    stem = output.name[: -len(suffix)]
    return [output.with_name(f"{stem}.stack-{number}{SUFFIX}") for number in range(1, count + 1)]


def write_transforms(paths: Sequence[Path], stacks: Sequence[dict[str, Any]]) -> None:
    """Write ``matrix_ras`` of each of a result's ``metadata["stacks"]``; the files appear whole or not at all.

    A node made of such a file, put above the stack as it was read, moves it to where it was registered. ITK's files
    hold the opposite direction, from the registered place back, in LPS.

    Raises
    ------
    InputError, ResourceError
        The folder cannot be written, or the disk is full.
    """
    import SimpleITK

    endings = [f".stack-{number}{SUFFIX}" for number in range(1, len(paths) + 1)]
    with atomic_files(list(paths), endings) as temporaries:
        for temporary, stack in zip(temporaries, stacks, strict=True):
            inverse = np.linalg.inv(np.array(stack["matrix_ras"], float))
            try:
                SimpleITK.WriteTransform(transform_of(inverse), str(temporary))
            except RuntimeError as error:
                raise ResourceError(f"The transform {temporary.name} cannot be written: {error}") from error
