"""Which shots make which frame: a table without gaps, from lines that may come in unequal numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.io.ismrmrd_file import Acquisitions
from DynamicMRIReconLib.io.ismrmrd_lines import Lines


@dataclass(frozen=True)
class ShotTable:
    """``rows`` (frames, layers, shots) are row numbers in the file; averages follow each other along shots.

    A layer is a slice, or with ``partitioned`` one partition of a stack of stars; ``lines`` are the lines used.
    """

    rows: NDArray[np.intp]
    averages: int
    partitions: NDArray[np.uint16] | None
    lines: Lines


def shot_table(file: Acquisitions, lines: Lines, *, volume: bool) -> ShotTable:
    """Shots in the order of acquisition, frame by frame; slices in the order of their counter.

    Frames with fewer shots than half the median are left out, the others cut to their common number; a warning tells.

    Raises
    ------
    InputError
        No trajectory is stored, readouts differ in length, or no frame has shots in every slice.
    """
    heads = file.heads[lines.rows]
    readouts, dimensions = (np.unique(heads[name]) for name in ("number_of_samples", "trajectory_dimensions"))
    if (dimensions == 0).any():
        raise InputError(
            f"{file.name}: its header says {file.header.encodings[lines.encoding].trajectory} but its acquisitions "
            "carry no trajectory, and it cannot be guessed: write the file with the trajectory at each acquisition."
        )
    if len(readouts) > 1 or len(dimensions) > 1 or dimensions[0] not in (2, 3):
        raise InputError(
            f"{file.name}: its shots have {readouts.tolist()} samples and trajectories of {dimensions.tolist()} "
            "dimensions; all must have the same number of samples, and 2 or 3 dimensions."
        )
    partitioned = volume and int(dimensions[0]) == 2
    if volume and len(np.unique(heads["idx"]["slice"])) > 1:
        raise InputError(f"{file.name}: several slices and 3-D encoding at once are not supported.")
    numbers, layer = np.unique(heads["idx"]["kspace_encode_step_2" if partitioned else "slice"], return_inverse=True)
    if volume and not partitioned:
        numbers, layer = numbers[:1], np.zeros_like(layer)
    # Shots that were given frames in their order are not sorted by their averages.
    apart = lines.counter != "average" and lines.own is None
    averages = len(np.unique(heads["idx"]["average"])) if apart else 1
    cells: list[list[list[int]]] = [[[] for _ in numbers] for _ in range(lines.frames)]
    for i in np.lexsort((lines.rows, heads["idx"]["average"])) if apart else np.argsort(lines.rows):
        cells[lines.frame[i]][layer[i]].append(int(lines.rows[i]))
    counts = np.array([[len(cell) for cell in frame] for frame in cells])
    kept, common = _regular(file, counts)
    if (counts[kept] != common).any():
        averages = 1
    rows = np.array([[cell[:common] for cell in cells[frame]] for frame in np.flatnonzero(kept)], np.intp)
    used = np.isin(lines.rows, rows)
    _, frame = np.unique(lines.frame[used], return_inverse=True)
    lines = replace(lines, rows=lines.rows[used], frame=frame, frames=int(kept.sum()))
    return ShotTable(rows, averages if common % averages == 0 else 1, numbers if partitioned else None, lines)


def _regular(file: Acquisitions, counts: NDArray[np.int_]) -> tuple[NDArray[np.bool_], int]:
    """Which frames are kept, and their common number of shots, from ``counts`` (frames, layers)."""
    fewest = counts.min(axis=1)
    kept = fewest >= max(1, int(np.median(fewest)) // 2)
    if not kept.any():
        raise InputError(f"{file.name}: no frame has shots in every slice: choose another --frames-from.")
    common = int(fewest[kept].min())
    if not kept.all():
        file.warn(f"{int((~kept).sum())} frames with less than half of the usual number of shots were left out.")
    if (counts[kept] != common).any():
        file.warn(f"Frames differ in their number of shots; each is cut to the common {common}.")
    return kept, common
