"""A sequence to files: which formats, under which names, with its record inside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconSlicer import provenance, sequenceReader
from DynamicMRIReconSlicer.translation import tr as _

#: suffix and what the panel calls it; all but the last are written by the library's ``export``
FORMATS = (
    (".seq.nrrd", _("Sequence (.seq.nrrd)")),
    (".nii.gz", _("NIfTI (.nii.gz)")),
    (".dicom", _("DICOM folder")),
    (".dcm", _("DICOM, one file")),
    (".mp4", _("Movie (.mp4)")),
    (".gif", _("Movie (.gif)")),
    (".csv", _("Line profiles (.csv)")),
)
PROFILES = ".csv"
DICOM = (".dicom", ".dcm")
VIDEO = ".mp4"


def seriesOf(sequence: Any) -> ImageSeries:
    """The images of a sequence with the record of how they were made, for the files' headers.

    Raises
    ------
    InputError
        It holds something else than grey-value images on one grid.
    """
    series = sequenceReader.toSeries(sequence)
    record = provenance.record(sequence)
    part = sequence.GetAttribute(provenance.PART)
    notes = {"provenance": record} if record else {}
    return series.with_metadata(**notes, **({"part": part} if part else {}))


def checkFolder(text: str) -> Path:
    """The folder to write to.

    Raises
    ------
    InputError
        None was chosen, or there is no such folder.
    """
    if not text.strip():
        raise InputError(_("Pick the folder to export to."))
    folder = Path(text.strip()).expanduser()
    if not folder.is_dir():
        raise InputError(_("The folder {folder} does not exist: make it first, or pick another.").format(folder=folder))
    return folder


def freeNames(folder: Path, name: str, suffixes: list[str]) -> dict[str, Path]:
    """A path for each suffix, all with the same stem, where nothing is yet: a number is added until that holds."""
    stem = re.sub(r"[^\w. +-]+", "-", name).strip(" .-") or "series"
    number = 1
    while True:
        numbered = stem if number == 1 else f"{stem}-{number}"
        paths = {suffix: folder / f"{numbered}{suffix}" for suffix in suffixes}
        # Profiles get the line's name in between, so anything that begins alike is in the way.
        csv = PROFILES in suffixes and any(folder.glob(f"{_literal(numbered)}.*{PROFILES}"))
        if not csv and not any(path.exists() for path in paths.values()):
            return paths
        number += 1


def profileFiles(path: Path, lineNames: list[str]) -> list[tuple[Path, Path, Path, Path]]:
    """Beside ``path``, for each line: where edge, M-mode, turning points and labels go; no two lines share a file."""
    stem, taken, found = path.name.removesuffix(PROFILES), set(), []
    for lineName in lineNames:
        line = first = re.sub(r"[^\w+-]+", "-", lineName).strip("-") or "line"
        number = 1
        while line in taken:
            number += 1
            line = f"{first}-{number}"
        taken.add(line)
        endings = ("edge.csv", "mmode.csv", "TextGrid", "labels.csv")
        edge, mmode, marks, labels = (path.with_name(f"{stem}.{line}.{ending}") for ending in endings)
        found.append((edge, mmode, marks, labels))
    return found


def summary(paths: list[Path]) -> str:
    """What was written, in a sentence."""
    return _("Written to {folder}: {names}. Not for diagnostic use.").format(
        folder=paths[0].parent, names=", ".join(path.name for path in paths)
    )


def _literal(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)
