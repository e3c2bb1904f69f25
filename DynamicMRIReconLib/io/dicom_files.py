"""Find DICOM images in a file or folder, and choose one series of them; nothing is chosen silently."""

from __future__ import annotations

import mmap
import warnings as python_warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.dicom_frames import DicomFrame, frames_of

SUFFIXES = (".dcm", ".ima")
#: what a folder of single images is called that this project writes
FOLDER_SUFFIX = ".dicom"

_LOOK_AT_MOST = 2000
_PIXELLESS = ("DICOMDIR",)


def is_dicom(path: Path) -> bool:
    """True if the file has DICOM's mark behind the preamble."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def holds_dicom(folder: Path) -> bool:
    """True if one of the first files in the folder or below is DICOM."""
    return any(is_dicom(path) for path in islice(_files(folder), _LOOK_AT_MOST))


def dicom_files_in(path: Path) -> Iterator[Path]:
    """The file itself; of a folder, the DICOM files in it and below."""
    for file in _files(path) if path.is_dir() else [path]:
        if not path.is_dir() or is_dicom(file) or file.name.lower().endswith(SUFFIXES):
            yield file


def find_frames(path: Path, warnings: list[str]) -> list[DicomFrame]:
    """All images in a file, or in a folder and below.

    Raises
    ------
    InputError
        No image, an unreadable DICOM file, or images without position.
    """
    frames: list[DicomFrame] = []
    without_image = 0
    for file in dicom_files_in(path):
        dataset = load(file, pixels=False)
        with reading_tags(file):
            if dataset.get("Rows") is None:
                without_image += 1
                continue
            frames.extend(frames_of(file, dataset))
    if not frames:
        raise InputError(f"{path.name} holds no DICOM image.")
    if without_image:
        warnings.append(f"{without_image} DICOM objects without an image were left out.")
    return frames


@contextmanager
def reading_tags(file: Path) -> Iterator[None]:
    """Where values of a loaded data set are asked for: pydicom parses them then, without a word about odd ones.

    Raises
    ------
    InputError
        One of them cannot be parsed.
    """
    try:
        with quiet():
            yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        # Damaged bytes raise nearly anything from their parsers: struct.error, NotImplementedError, pydicom's own.
        raise InputError(f"{file.name}: its tags cannot be read; it may be damaged: {error}") from error


def choose_series(frames: list[DicomFrame], wanted: str | None, path: Path) -> list[DicomFrame]:
    """The frames of one series and one kind of image (type, echo).

    ``wanted`` is a series UID, a series description, an image type, or the type's last part.

    Raises
    ------
    InputError
        There are several, or ``wanted`` names none or several; the message lists what there is.
    """
    groups: dict[tuple[str, ...], list[DicomFrame]] = {}
    for frame in frames:
        groups.setdefault((frame.series_uid, *frame.kind), []).append(frame)
    matching = groups
    if wanted is not None:
        matching = {key: group for key, group in groups.items() if wanted.lower() in _names(group[0])}
    if len(matching) == 1:
        return next(iter(matching.values()))
    lines = [
        f"{group[0].series_text!r}, {_where(group, path)}, image type {group[0].kind[0] or 'unknown'}, "
        f"echo time {group[0].kind[1] or 'unknown'} ms, {len(group)} images, UID {group[0].series_uid}"
        for group in groups.values()
    ]
    what = "no series" if not matching else f"{len(matching)} series"
    named = "" if wanted is None else f" called {wanted!r}"
    raise InputError(
        f"{path.name} holds {what}{named}; name the folder or file of one of them, or choose by UID, description or "
        f"image type (variable=...): {'; '.join(lines)}."
    )


def load(path: Path, *, pixels: bool) -> Any:
    """The data set of one file.

    Raises
    ------
    InputError
        Not DICOM, or damaged.
    """
    import pydicom

    try:
        # Mapped, a file gives no more than it has; read from disk, a length that lies asks for its memory first.
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, quiet():
            return pydicom.dcmread(content, stop_before_pixels=not pixels)
    except MemoryError:
        raise
    except Exception as error:
        # A damaged file can raise nearly anything from the parser.
        raise InputError(f"{path.name} is not a readable DICOM file: {error}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without pydicom's warnings on values that break the standard: anonymised files are full of them."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        yield


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.name not in _PIXELLESS:
            yield path


def _names(frame: DicomFrame) -> tuple[str, ...]:
    image_type = frame.kind[0].lower()
    return (frame.series_uid.lower(), frame.series_text.lower(), image_type, image_type.rsplit("/", 1)[-1])


def _where(group: list[DicomFrame], path: Path) -> str:
    folders = {frame.file.parent for frame in group}
    if len({frame.file for frame in group}) == 1:
        return f"file {group[0].file.name}"
    if len(folders) == 1 and path.is_dir():
        return f"folder {next(iter(folders)).relative_to(path)}"
    return f"{len(folders)} folders"
