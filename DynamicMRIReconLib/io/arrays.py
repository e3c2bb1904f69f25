"""From plain arrays to the data classes, for formats that are little more than arrays with names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.geometry import Geometry, checked_affine, right_handed
from DynamicMRIReconLib.io.axes import arrange, need_axes
from DynamicMRIReconLib.io.metadata import metadata_from_text
from DynamicMRIReconLib.io.options import ReadOptions
from DynamicMRIReconLib.io.prewhitening import TOO_LITTLE_NOISE, prewhitening_notes, whiten, whitening_matrix
from DynamicMRIReconLib.io.trajectory_files import load_trajectory

#: before the name of a series' part
PART = "parts/"
NO_TIMES = "The file says nothing about time: 1 s a frame is assumed."
NO_GEOMETRY = "The file says nothing about position and voxel size: a centred grid of 1 mm voxels is assumed."


def from_named(arrays: dict[str, NDArray[Any]], name: str) -> KSpace | ImageSeries | None:
    """Data from arrays named as the fields of ``KSpace`` or ``ImageSeries``; None when there is no main array.

    Raises
    ------
    InputError
        The arrays do not fit each other.
    """
    notes = metadata_from_text(_text(arrays.get("metadata")))
    warnings = list(notes.get("warnings", []))
    if "samples" in arrays:
        return _kspace(arrays, notes, warnings, name)
    if "array" not in arrays:
        return None
    array = arrays["array"]
    if array.ndim != 4:
        raise InputError(f"{name}: 'array' must have the axes (frames, z, y, x); its shape is {array.shape}.")
    synthetic = arrays.get("synthetic")
    affine = _affine(arrays, (array.shape[1], array.shape[2], array.shape[3]), warnings)
    times = _times(arrays, len(array), warnings)
    series = ImageSeries.from_any_handedness(
        array,
        affine,
        times,
        synthetic=None if synthetic is None else synthetic.ravel(),
        metadata=notes,
        parts={key.removeprefix(PART): value for key, value in arrays.items() if key.startswith(PART)},
    )
    _keep(series, warnings)
    return series


def from_unnamed(
    array: NDArray[Any], options: ReadOptions, name: str, beside: dict[str, NDArray[Any]] | None = None
) -> KSpace | ImageSeries:
    """Data from one array whose axes ``options.axes`` names, with the trajectory of ``options.trajectory``.

    ``beside``: the file's other arrays, of which ``times_s`` and ``affine`` are used.

    Raises
    ------
    InputError
        The axes are not given or do not fit, or shots come without a trajectory.
    """
    if array.dtype.kind not in "biufc":
        raise InputError(f"{name} holds {array.dtype} and no numbers.")
    if options.axes is None:
        raise need_axes(array, name)
    kind, array = arrange(array, options.axes, name)
    named = {key: value for key, value in (beside or {}).items() if key in ("times_s", "affine")}
    named["array" if kind == "series" else "samples"] = array
    if kind == "shots":
        if options.trajectory is None:
            raise InputError(f"{name} holds shots: name the file with their trajectory with --trajectory FILE.")
        named["samples"] = array[:, :, 0] if array.shape[2] == 1 else array
        named["trajectory"] = load_trajectory(options.trajectory, len(array))
    elif options.trajectory is not None:
        raise InputError(f"{name}: a trajectory goes with the axes shots and readout only.")
    data = from_named(named, name)
    assert data is not None
    return data


def to_named(data: KSpace | ImageSeries) -> dict[str, Any]:
    """The arrays of ``data`` under its field names; what is None is left out, metadata are JSON text."""
    from DynamicMRIReconLib.io.metadata import metadata_to_text

    names: tuple[str, ...] = ("array", "affine", "times_s", "synthetic")
    if isinstance(data, KSpace):
        names = ("samples", "affine", "times_s", "image_shape", "trajectory", "mask", "coil_maps", "density")
    arrays = {name: np.asarray(getattr(data, name)) for name in names if getattr(data, name) is not None}
    if isinstance(data, ImageSeries):
        arrays |= {f"{PART}{name}": part for name, part in data.parts.items()}
    return {**arrays, "metadata": np.array(metadata_to_text(data.metadata))}


def _kspace(arrays: dict[str, NDArray[Any]], notes: dict[str, Any], warnings: list[str], name: str) -> KSpace:
    arrays, prewhitening = _whitened(arrays, notes, warnings, name)
    notes = {**notes, **prewhitening}
    samples = arrays["samples"]
    if samples.ndim not in (4, 5) or ("trajectory" not in arrays and samples.ndim != 5):
        raise InputError(
            f"{name}: 'samples' must have the axes (frames, coils, z, ky, kx), or with a trajectory (frames, coils, "
            f"shots, readout); its shape is {samples.shape}."
        )
    rest: dict[str, Any] = {key: arrays[key] for key in ("trajectory", "mask", "coil_maps", "density") if key in arrays}
    times = _times(arrays, len(samples), warnings)
    shape: tuple[int, int, int] | None = None
    if "image_shape" in arrays:
        shape = _image_shape(arrays["image_shape"], name)
    if shape is None:
        shape = KSpace(samples, np.eye(4), times, **rest).matrix
    affine = checked_affine(_affine(arrays, shape, warnings))
    if np.linalg.det(affine[:3, :3]) < 0 and "trajectory" not in rest:
        samples, flipped = right_handed(samples, affine)
        rest = {key: right_handed(value, affine)[0] for key, value in rest.items()}
        affine = flipped
    data = KSpace(samples, affine, times, image_shape=shape, metadata=notes, **rest)
    _keep(data, warnings)
    return data


def _image_shape(value: NDArray[Any], name: str) -> tuple[int, int, int]:
    sizes = value.ravel()
    # .mat files hold them as floats
    if sizes.dtype.kind not in "iuf" or sizes.size != 3 or not np.isfinite(sizes).all() or (sizes != sizes // 1).any():
        told = np.array2string(sizes[:6], separator=", ")[:200]
        raise InputError(f"{name}: 'image_shape' must be the three sizes z, y, x in whole numbers, not {told}.")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def _whitened(
    arrays: dict[str, NDArray[Any]], notes: dict[str, Any], warnings: list[str], name: str
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays with samples and coil maps whitened by ``noise`` (coils, samples), and the notes that say so."""
    noise, samples = arrays.get("noise"), arrays["samples"]
    if noise is None:
        return arrays, {}
    if noise.ndim != 2 or samples.ndim < 2 or len(noise) != samples.shape[1] or noise.dtype.kind not in "fc":
        raise InputError(
            f"{name}: 'noise' must be complex (coils, samples) with the coils of 'samples' {samples.shape}; "
            f"it is {noise.dtype} {noise.shape}."
        )
    if not np.isfinite(noise).all():
        raise InputError(f"{name}: 'noise' holds values that are not finite.")
    if notes.get("prewhitened"):
        warnings.append("The file's noise samples are not used: its k-space is prewhitened already.")
        return arrays, {}
    matrix = whitening_matrix(noise.astype(np.complex64))
    if matrix is None:
        warnings.append(TOO_LITTLE_NOISE)
        return arrays, {}
    whitened = {**arrays, "samples": whiten(samples, matrix)}
    maps = arrays.get("coil_maps")
    if maps is not None and maps.ndim == 4 and len(maps) == len(noise):
        whitened["coil_maps"] = whiten(maps, matrix, coil_axis=0)
    return whitened, prewhitening_notes(matrix)


def _affine(arrays: dict[str, NDArray[Any]], shape: tuple[int, int, int], warnings: list[str]) -> Any:
    if "affine" in arrays:
        return arrays["affine"]
    warnings.append(NO_GEOMETRY)
    return Geometry.centred(shape).affine


def _times(arrays: dict[str, NDArray[Any]], frames: int, warnings: list[str]) -> NDArray[Any]:
    if "times_s" in arrays:
        return arrays["times_s"].ravel()
    warnings.append(NO_TIMES)
    return np.arange(frames, dtype=float)


def _keep(data: KSpace | ImageSeries, warnings: list[str]) -> None:
    if warnings:
        data.metadata["warnings"] = list(dict.fromkeys(warnings))


def _text(value: NDArray[Any] | None) -> str | None:
    return None if value is None or value.dtype.kind != "U" or value.size != 1 else str(value.ravel()[0])
