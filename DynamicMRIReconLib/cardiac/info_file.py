"""ED and ES from the patient's ``Info.cfg`` of the ACDC data set, or any file of lines such as ``ED: 1``."""

from __future__ import annotations

from pathlib import Path

from DynamicMRIReconLib.errors import InputError


def read_info(path: Path, frames: int) -> tuple[int, int]:
    """Frames of end diastole and end systole, counted from 0; the file counts from 1.

    Raises
    ------
    InputError
        If the file is missing or no text, lacks ED or ES, or they do not fit a series of ``frames`` frames.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The file {path} with ED and ES cannot be read: name a text file with lines ED: 1."
        ) from error
    entries = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    found = {}
    for name in ("ed", "es"):
        if not entries.get(name, "").isdigit():
            raise InputError(f"{path} has no line '{name.upper()}: number': write the frame, counted from 1.")
        found[name] = int(entries[name]) - 1
    said = entries.get("nbframe", "")
    if said.isdigit() and int(said) != frames:
        raise InputError(f"{path} is of a series with {said} frames, this one has {frames}: name the file of this one.")
    if not all(0 <= frame < frames for frame in found.values()):
        raise InputError(f"{path} has ED or ES outside of the {frames} frames of the series (counted from 1).")
    return found["ed"], found["es"]
