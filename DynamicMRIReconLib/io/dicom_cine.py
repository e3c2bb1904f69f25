"""DICOM cine, a file or a folder: classic (a file for each slice and phase) and enhanced multi-frame.

Slices are put in order along their normal by ImagePositionPatient, phases by TriggerTime, else FrameTime, else
acquisition time. Nothing that names a patient is kept.

Written are derived images: ``NAME.dcm`` is one enhanced multi-frame file, ``NAME.dicom`` a new folder of single images.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io import dicom_files
from DynamicMRIReconLib.io.dicom_frames import DicomFrame, rescaled
from DynamicMRIReconLib.io.dicom_private import metadata_of
from DynamicMRIReconLib.io.one_series import one_series
from DynamicMRIReconLib.io.options import ReadOptions

NAME = "DICOM cine"
SUFFIXES = (*dicom_files.SUFFIXES, dicom_files.FOLDER_SUFFIX)
WRITABLE = (".dcm", dicom_files.FOLDER_SUFFIX)
OPTIONS = ("times_from", "variable")
WRITE_OPTIONS = ("patient_from",)

_SAME_SLICE_MM = 0.05
_SOURCES = ("TriggerTime", "FrameTime", "AcquisitionTime")
_FROM_OPTION = {"physiology": "TriggerTime", "acquisition": "AcquisitionTime"}

Grid = list[list[DicomFrame]]


def recognises(path: Path) -> bool:
    """True for a DICOM file whatever its name, and for a folder with DICOM files in it or below."""
    return dicom_files.holds_dicom(path) if path.is_dir() else dicom_files.is_dicom(path)


def read(path: Path, options: ReadOptions | None = None) -> ImageSeries:
    """Read one series, (frames, z, y, x); one image a slice gives one frame.

    ``options.times_from``: ``physiology`` takes trigger times only, ``acquisition`` acquisition times only.
    ``options.variable``: UID, description or image type of the series to take where there are several.

    Raises
    ------
    InputError
        Several series, varying size or orientation, missing position tags, missing images, slices not evenly spaced.
    """
    options = options or ReadOptions()
    warnings: list[str] = []
    frames = dicom_files.choose_series(dicom_files.find_frames(path, warnings), options.variable, path)
    _check_alike(frames)
    slices = _slices(frames)
    source, grid = _phases(slices, options.times_from, warnings)
    times = _times_s(grid, source, warnings)
    affine = _affine(grid, warnings)
    ours = _notes(grid[0][0].file)
    if ours is not None and len(times) == 1:
        times = np.array([grid[0][0].times_ms.get("TriggerTime", 0.0) * 1e-3])
    metadata: dict[str, Any] = {
        **(ours or {}),
        "series_description": frames[0].series_text,
        "times_from": source or "none",
    }
    if frames[0].thickness_mm is not None:
        metadata["slice_thickness_mm"] = frames[0].thickness_mm
    if warnings:
        metadata["warnings"] = [*metadata.get("warnings", []), *warnings]
    synthetic = np.array([images.synthetic for images in grid[0]])
    return ImageSeries.from_any_handedness(_pixels(grid), affine, times, synthetic=synthetic, metadata=metadata)


def write(path: Path, data: Any, patient_from: Path | None = None) -> None:
    """Write a series as derived images, magnitudes in 16 bits, under new UIDs and without a patient.

    Parameters
    ----------
    patient_from
        DICOM file or folder whose patient and study the images shall carry; None keeps them nameless.

    Raises
    ------
    InputError
        Not an image series, ``.ima``, rows and columns not at right angles, or no study in ``patient_from``.
    """
    from DynamicMRIReconLib.io import dicom_classic, dicom_enhanced
    from DynamicMRIReconLib.io.dicom_identity import identity

    data = one_series(data, "DICOM cine")
    if path.suffix.lower() not in WRITABLE:
        raise InputError(f"{path.suffix} files can be read but not written: use .dcm, or .dicom for a folder.")
    to_folder = path.suffix.lower() == dicom_files.FOLDER_SUFFIX
    writer = dicom_classic.write_folder if to_folder else dicom_enhanced.write_file
    writer(path, data, identity(patient_from))


def _check_alike(frames: list[DicomFrame]) -> None:
    first = frames[0]
    for frame in frames[1:]:
        if frame.shape != first.shape:
            raise InputError(f"image sizes vary: {first.file.name} {first.shape}, {frame.file.name} {frame.shape}.")
        if not np.allclose(frame.spacing_mm, first.spacing_mm, rtol=1e-3):
            raise InputError(
                f"pixel sizes vary: {first.file.name} {first.spacing_mm} mm, {frame.file.name} {frame.spacing_mm} mm."
            )
        if not np.allclose((*frame.row, *frame.column), (*first.row, *first.column), atol=2e-3):
            raise InputError(
                f"orientations vary ({first.file.name} and {frame.file.name}, for example): the images are not "
                "parallel slices; name the files of one orientation in a folder of their own."
            )


def _normal(frame: DicomFrame) -> NDArray[np.float64]:
    return np.cross(frame.row, frame.column)


def _slices(frames: list[DicomFrame]) -> Grid:
    """Frames by slice, along the normal."""
    normal = _normal(frames[0])
    ordered = sorted(frames, key=lambda frame: float(normal @ frame.position_mm))
    heights = [float(normal @ frame.position_mm) for frame in ordered]
    slices: Grid = [[ordered[0]]]
    for frame, height, below in zip(ordered[1:], heights[1:], heights[:-1], strict=True):
        if height - below > _SAME_SLICE_MM:
            slices.append([])
        slices[-1].append(frame)
    counts = [len(images) for images in slices]
    if len(set(counts)) > 1:
        usual = max(set(counts), key=counts.count)
        odd = next(i for i, count in enumerate(counts) if count != usual)
        raise InputError(
            f"slice {odd} has {counts[odd]} images but most of the {len(counts)} slices have {usual}: images are "
            "missing, or belong to another series."
        )
    return slices


def _phases(slices: Grid, times_from: str | None, warnings: list[str]) -> tuple[str | None, Grid]:
    """The time source that tells all images of each slice apart, and the images of each slice in its order."""
    if len(slices[0]) == 1:
        return None, slices
    wanted = (_FROM_OPTION[times_from],) if times_from else _SOURCES
    for source in wanted:
        if _tells_apart(slices, source):
            grid = [sorted(images, key=lambda f: f.times_ms[source]) for images in slices]
            if source == "TriggerTime" and not _in_acquisition_order(grid):
                warnings.append(
                    "Trigger times do not rise with acquisition times (several heartbeats?): frames are sorted by "
                    "trigger time; times_from=acquisition keeps the order of acquisition."
                )
            return source, grid
    if times_from:
        raise InputError(f"the images have no {wanted[0]} that tells the frames apart: leave out times_from.")
    if _tells_apart(slices, "TemporalPosition"):
        order, grid = "temporal position", [sorted(s, key=lambda f: f.times_ms["TemporalPosition"]) for s in slices]
    else:
        order, grid = "instance number", [sorted(s, key=lambda f: (f.instance, f.index)) for s in slices]
        if any(len({(f.instance, f.index) for f in images}) < len(images) for images in slices):
            raise InputError(
                f"{len(slices[0])} images lie at the same position and no time tag or number tells them apart."
            )
    warnings.append(f"The images hold no frame times: they are in order of {order}, and 1 s a frame is assumed.")
    return None, grid


def _tells_apart(slices: Grid, source: str) -> bool:
    return all(
        all(source in frame.times_ms for frame in images)
        and len({frame.times_ms[source] for frame in images}) == len(images)
        for images in slices
    )


def _in_acquisition_order(grid: Grid) -> bool:
    if not _tells_apart(grid, "AcquisitionTime"):
        return True
    return all((np.diff([frame.times_ms["AcquisitionTime"] for frame in images]) > 0).all() for images in grid)


def _times_s(grid: Grid, source: str | None, warnings: list[str]) -> NDArray[np.float64]:
    phases = len(grid[0])
    if source is None:
        return np.arange(phases, dtype=np.float64)
    milliseconds = [[frame.times_ms[source] for frame in images] for images in grid]
    times: NDArray[np.float64] = np.array(milliseconds, np.float64) * 1e-3
    if source == "AcquisitionTime":
        # Time of day says nothing; slices measured one after the other share the time since their own start.
        # Stamps are in microseconds; the rest is rounding of large numbers.
        times -= times[:, :1].copy() if _one_after_the_other(times) else times[:, 0].mean()
        times.round(6, out=times)
    mean = times.mean(axis=0)
    spread = float(np.ptp(times, axis=0).max())
    if source == "TriggerTime" and len(grid) > 1 and spread > 0.5 * float(np.diff(mean).min()):
        warnings.append(
            f"Slices have trigger times up to {spread * 1e3:.0f} ms apart for the same phase (heartbeats of different "
            "length): each frame's time is the mean over the slices."
        )
    return np.asarray(mean)


def _one_after_the_other(times: NDArray[np.float64]) -> bool:
    order = times[np.argsort(times[:, 0])]
    return len(order) > 1 and bool((order[1:, 0] > order[:-1, -1]).all())


def _affine(grid: Grid, warnings: list[str]) -> NDArray[np.float64]:
    first = grid[0][0]
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(first.row) * first.spacing_mm[0]
    affine[:3, 1] = np.asarray(first.column) * first.spacing_mm[1]
    affine[:3, 2] = _slice_step(grid, warnings)
    affine[:3, 3] = first.position_mm
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _slice_step(grid: Grid, warnings: list[str]) -> NDArray[np.float64]:
    """From one slice to the next in LPS mm. Positions decide; SpacingBetweenSlices is often wrong."""
    first = grid[0][0]
    normal = _normal(first)
    if len(grid) == 1:
        if not first.thickness_mm or first.thickness_mm <= 0:
            warnings.append("The images have no slice thickness: 1 mm is assumed.")
        return normal * (first.thickness_mm or 1.0)
    positions = np.array([images[0].position_mm for images in grid])
    step = (positions[-1] - positions[0]) / (len(grid) - 1)
    off = np.linalg.norm(positions - positions[0] - np.arange(len(grid))[:, None] * step, axis=1).max()
    length = float(np.linalg.norm(step))
    if off > 0.1 * length:
        gaps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        raise InputError(
            f"slices are not evenly spaced: gaps from {gaps.min():.2f} to {gaps.max():.2f} mm; a slice may be missing, "
            "or the images belong to several stacks."
        )
    if np.linalg.norm(step - (step @ normal) * normal) > 0.01 * length:
        warnings.append("The stack of slices is oblique to their normal: the voxel axes are not at right angles.")
    return np.asarray(step)


def _notes(file: Path) -> dict[str, Any] | None:
    dataset = dicom_files.load(file, pixels=False)
    with dicom_files.reading_tags(file):
        return metadata_of(dataset)


def _pixels(grid: Grid) -> NDArray[np.float32]:
    rows, columns = grid[0][0].shape
    array = spool.empty((len(grid[0]), len(grid), rows, columns), np.float32)
    places: dict[Path, list[tuple[int, int, int]]] = {}
    for z, images in enumerate(grid):
        for phase, frame in enumerate(images):
            places.setdefault(frame.file, []).append((frame.index, phase, z))
    for file, wanted in places.items():
        dataset = dicom_files.load(file, pixels=True)
        try:
            with dicom_files.quiet():
                pixels = np.asarray(dataset.pixel_array).reshape(-1, rows, columns)
        except MemoryError:
            raise
        except Exception as error:
            # Missing decoders and damaged data raise many classes.
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            packed = getattr(dataset.file_meta.get("TransferSyntaxUID"), "is_compressed", False)
            advice = "; decompress it first, for example with gdcmconv --raw" if packed else "; it may be damaged"
            raise InputError(f"{file.name}: the pixels cannot be read ({reason}){advice}.") from error
        with dicom_files.reading_tags(file):
            for index, phase, z in wanted:
                array[phase, z] = rescaled(pixels[index], dataset, index)
        spool.trim()
    return array
