"""How uncertain an edge's position is, from how uncertain the brightness along the line is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: name of the part of a series that holds the standard deviation of each voxel in each frame
UNCERTAINTY = "uncertainty"
#: a slope below this part of the steepest one is no edge: its position would be uncertain without bound
_FLAT = 0.05


def edge_deviation(
    positions_mm: NDArray[np.float64],
    intensity: NDArray[Any],
    deviation: NDArray[Any],
    edge_mm: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(times,) standard deviation in mm of an edge at ``edge_mm``: that of the brightness over its slope, at the edge.

    First-order propagation: it holds where the deviation is small against the step, and it knows nothing of an edge
    that might be somewhere else altogether. NaN without an edge, outside the image, and where the line is flat.

    Parameters
    ----------
    positions_mm, intensity, deviation
        (positions,) evenly spaced; (positions, times) brightness and its standard deviation, NaN outside the image.
    """
    slope = np.abs(np.diff(np.asarray(intensity, np.float64), axis=0)) / np.diff(positions_mm)[:, None]
    found = np.full(intensity.shape[1], np.nan)
    for frame in np.flatnonzero(np.isfinite(edge_mm)):
        steepest = np.nanmax(slope[:, frame], initial=0.0)
        # Between the samples the line is straight: its slope is that of the piece on which the edge lies.
        piece = np.searchsorted(positions_mm, edge_mm[frame], side="right") - 1
        here = slope[min(max(0, piece), len(slope) - 1), frame]
        if here > _FLAT * steepest:
            found[frame] = np.interp(edge_mm[frame], positions_mm, deviation[:, frame]) / here
    return found
