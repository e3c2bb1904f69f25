"""Files in and out: ``read``, ``write`` and ``info``; one module for each format, found by ``formats``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError, ResourceError
from DynamicMRIReconLib.io import formats
from DynamicMRIReconLib.io.atomic import atomic_files
from DynamicMRIReconLib.io.options import ReadOptions

__all__ = ["ReadOptions", "info", "info_text", "read", "write"]

Data = KSpace | ImageSeries | list[ImageSeries]


def read(
    path: str | Path | Sequence[str | Path],
    *,
    axes: Any = None,
    frames_from: str | None = None,
    times_from: str | None = None,
    shots_per_frame: int | None = None,
    coil_maps: Any = None,
    trajectory: str | Path | None = None,
    dataset: str | None = None,
    variable: str | None = None,
    pixel_size_mm: float | None = None,
    masks: Sequence[str | Path] | None = None,
) -> Data:
    """Read a file (or a folder of DICOM files): k-space, an image series, or a list of stacks.

    Several paths are several stacks: a list of image series comes back, to be made one volume of. ``masks`` are files
    with what counts in them, one for each stack or one for all; each is brought onto its stack's voxels, whatever its
    own grid, and becomes the stack's part ``mask``.

    What the file leaves open (frame times, geometry) is filled by 1 s a frame and a centred grid of 1 mm, and
    ``metadata["warnings"]`` says so. Options: see ``ReadOptions``; ``axes`` is a sequence or "frames,coils,ky,kx".

    Raises
    ------
    InputError
        The file is missing, empty, broken, of unknown type, or does not say enough; the sentence tells what to do.
    ResourceError
        It does not fit into memory.
    """
    options = ReadOptions.of(
        axes=axes,
        frames_from=frames_from,
        times_from=times_from,
        shots_per_frame=shots_per_frame,
        coil_maps=coil_maps,
        trajectory=trajectory,
        dataset=dataset,
        variable=variable,
        pixel_size_mm=pixel_size_mm,
    )
    single = isinstance(path, str | Path)
    paths = [_found(Path(one)) for one in ([path] if isinstance(path, str | Path) else path)]
    if not paths:
        raise InputError("No file was named.")
    parts = [_read_as(_format_of(one), one, options) for one in paths]
    if single and not masks:
        return parts[0]
    from DynamicMRIReconLib.io.stacks import as_stacks, with_masks

    stacks = as_stacks(parts)
    return with_masks(stacks, [read(mask) for mask in masks]) if masks else stacks


def write(path: str | Path, data: Data, *, patient_from: str | Path | None = None) -> Path:
    """Write k-space, a series or stacks in the format that the name's suffix tells; gives the path written.

    The file appears whole or not at all: it is written beside its place and then renamed.

    Parameters
    ----------
    patient_from
        For DICOM only: a DICOM file or folder whose patient and study the written images shall carry. By default they
        name nobody, whatever the series was made from.

    Raises
    ------
    InputError
        Unknown suffix, missing folder, no permission, or a format that cannot hold such data.
    ResourceError
        The disk is full.
    """
    path = Path(path)
    module, suffix = formats.for_writing(path)
    options = {} if patient_from is None else {"patient_from": Path(patient_from)}
    if options and "patient_from" not in getattr(module, "WRITE_OPTIONS", ()):
        raise InputError(f"{path.name}: {module.NAME} files carry no patient: leave out patient_from, or write .dcm.")
    if not hasattr(module, "parts"):
        with atomic_files([path], [path.name[-len(suffix) :]]) as (temporary,):
            module.write(temporary, data, **options)
        return path
    endings = module.parts(data)
    base = str(path)[: -len(suffix)]
    with atomic_files([Path(base + ending) for ending in endings], endings) as temporaries:
        module.write(temporaries[0], data)
    return path


def info(path: str | Path, **read_options: Any) -> dict[str, Any]:
    """What a file holds, as a JSON-able dict (keys: see ``io.describe.describe``); options as for ``read``."""
    from DynamicMRIReconLib.io.describe import describe

    module = _format_of(_found(Path(path)))
    return describe(read(path, **read_options), path=str(path), format_name=module.NAME)


def info_text(description: dict[str, Any]) -> list[str]:
    """The dict of ``info`` as lines for people."""
    from DynamicMRIReconLib.io.describe import as_lines

    return as_lines(description)


def _found(path: Path) -> Path:
    """BART's users name a pair of files by what the names share."""
    pair = f"{path}.cfl"
    # os.path says no where Path raises, as for names that are too long
    return Path(pair) if not os.path.exists(path) and os.path.isfile(pair) else path  # noqa: PTH110, PTH113


def _format_of(path: Path) -> Any:
    try:
        if not path.exists():
            raise InputError(f"{path} does not exist: check the name.")
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes).")
        if not os.access(path, os.R_OK):
            raise InputError(f"{path} may not be read: its permissions forbid it.")
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror or error}.") from error
    return formats.for_reading(path)


def _read_as(module: Any, path: Path, options: ReadOptions) -> Data:
    unused = [name for name in options.given() if name not in getattr(module, "OPTIONS", options.given())]
    if unused:
        raise InputError(f"{path.name}: the option {' and '.join(unused)} means nothing for {module.NAME}.")
    try:
        data: Data = module.read(path, options)
        if options.shots_per_frame is not None and not getattr(module, "REGROUPS", False):
            data = _regrouped(data, options.shots_per_frame)
        if options.coil_maps is not None:
            data = _with_coil_maps(data, options.coil_maps)
    except InputError as error:
        # The data classes know what is wrong but not in which file.
        if path.name in str(error):
            raise
        raise InputError(f"{path.name}: {error}") from error
    except MemoryError as error:
        raise ResourceError(f"{path.name} does not fit into memory.") from error
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read as {module.NAME}; it may be damaged: {error}") from error
    for part in data if isinstance(data, list) else [data]:
        part.metadata.setdefault("source", path.name)
    return data


def _regrouped(data: Data, shots_per_frame: int) -> KSpace:
    from DynamicMRIReconLib.acquisition.regroup import regroup_frames

    if not isinstance(data, KSpace):
        raise InputError("shots_per_frame goes with k-space only: leave it out.")
    return regroup_frames(data, shots_per_frame)


def _with_coil_maps(data: Data, coil_maps: Any) -> Data:
    from DynamicMRIReconLib.io.coil_map_files import load_coil_maps

    if not isinstance(data, KSpace):
        raise InputError("Coil sensitivity maps go with k-space only: leave them out.")
    return replace(data, coil_maps=load_coil_maps(coil_maps, data))
