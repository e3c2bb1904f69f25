"""Which acquisitions of an ISMRMRD file are image data, and which frame each belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions

# Bit numbers of the ISMRMRD standard, counted from 1.
NOISE, CALIBRATION, CALIBRATION_AND_IMAGING, REVERSE = 19, 20, 21, 22
# Navigator, phase correction, feedback, dummy, surface coil correction, phase stabilisation (and its reference).
NO_IMAGE = (23, 24, 26, 27, 28, 29, 30, 31)


def has_flag(heads: NDArray[Any], bit: int) -> NDArray[np.bool_]:
    """(n,) True where the flag ``bit`` is set."""
    return np.asarray((heads["flags"] >> np.uint64(bit - 1)) & np.uint64(1), bool)


@dataclass(frozen=True)
class Lines:
    """The image data: row numbers in the file, the frame of each, and what tells the frames apart.

    ``own`` are the lines by the frames of the file itself, where other frames were made of them.
    """

    rows: NDArray[np.intp]
    frame: NDArray[np.intp]
    frames: int
    counter: str
    encoding: int
    own: Lines | None = None


def noise_rows(file: Acquisitions) -> NDArray[np.intp]:
    """Rows of the noise scans."""
    return np.flatnonzero(has_flag(file.heads, NOISE))


def image_lines(file: Acquisitions, frames_from: str | None) -> Lines:
    """The image lines and their frames.

    Noise scans, navigators, phase correction, dummy scans and the like are left out. Calibration-only lines are left
    out too, unless the header calls the calibration embedded: then they were measured as part of each image. Where an
    accelerated acquisition shifts its lines from repetition to repetition, each repetition stays a frame of its own,
    undersampled: joining them would give up time resolution, which is the method's to decide.

    Raises
    ------
    InputError
        There is no image line, or the lines differ in their number of channels.
    """
    heads = file.heads
    keep = ~has_flag(heads, NOISE)
    for bit in NO_IMAGE:
        keep &= ~has_flag(heads, bit)
    calibration_only = keep & has_flag(heads, CALIBRATION) & ~has_flag(heads, CALIBRATION_AND_IMAGING)
    candidates = keep & ~calibration_only if (keep & ~calibration_only).any() else keep
    if not candidates.any():
        raise InputError(f"{file.name} holds no image acquisitions, only noise, calibration or navigator scans.")
    spaces = np.unique(heads["encoding_space_ref"][candidates])
    encoding = int(spaces[0])
    if encoding >= len(file.header.encodings):
        raise InputError(f"{file.name}: acquisitions refer to encoding {encoding}, which its header does not describe.")
    if len(spaces) > 1:
        file.warn(f"The file holds {len(spaces)} encodings; only encoding {encoding} is read.")
    if calibration_only.any() and file.header.encodings[encoding].calibration_mode != "embedded":
        keep &= ~calibration_only
    rows = np.flatnonzero(keep & (heads["encoding_space_ref"] == encoding) & (heads["number_of_samples"] > 0))
    if not rows.size:
        raise InputError(f"{file.name} holds no image acquisitions: every line is empty or for calibration only.")
    channels = np.unique(heads["active_channels"][rows])
    if len(channels) > 1 or channels[0] == 0:
        raise InputError(f"{file.name}: the image lines have differing numbers of channels {channels.tolist()}.")
    counter, held = _choose_counter(heads["idx"][rows], frames_from, file.warn)
    rows = rows[held]
    values, frame = np.unique(heads["idx"][counter][rows], return_inverse=True)
    return Lines(rows, frame.astype(np.intp), len(values), counter, encoding)


def _choose_counter(
    idx: NDArray[Any], wanted: str | None, warn: Callable[[str], None]
) -> tuple[str, NDArray[np.bool_]]:
    """The counter that numbers frames, and which lines stay when the other counters are held at their first value."""
    count = {name: len(np.unique(idx[name])) for name in ("repetition", "phase", "set", "contrast", "average")}
    counter = wanted or ("phase" if count["phase"] > 1 and count["repetition"] == 1 else "repetition")
    held = np.ones(len(idx), bool)
    for name in ("repetition", "phase", "set", "contrast"):
        # Frames are never mixed: what differs in another counter is another image.
        if name == counter or count[name] == 1:
            continue
        first = int(idx[name].min())
        held &= idx[name] == first
        warn(
            f"The file has {count[name]} values of {name} beside the frames taken from {counter}: only {name} {first} "
            f"is read; read it with --frames-from {name} for the others."
        )
    if not held.any():
        raise InputError(f"No line belongs to the first value of every counter beside {counter}: choose --frames-from.")
    return counter, held
