"""The M-mode: intensity along a line over time, with its axes in mm and s."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.profiles.edges import EdgeTrack, Polarity, track_edge
from DynamicMRIReconLib.profiles.kinematics import TurningPoint, turning_points
from DynamicMRIReconLib.profiles.uncertainty import edge_deviation


@dataclass(frozen=True)
class MMode:
    """Intensity along a line over time.

    Attributes
    ----------
    positions_mm
        (positions,) distance from the line's start, evenly spaced, from 0 to its length.
    times_s
        (times,) seconds, strictly increasing, not necessarily evenly spaced.
    intensity
        (positions, times) float32, NaN where the line is outside the image.
    valid
        (positions,) bool, False where the line is outside the image.
    synthetic
        (times,) bool, True for interpolated frames.
    start_ras_mm, end_ras_mm
        (3,) ends of the line in RAS millimetres.
    edge
        The tracked edge, or None when none was asked for.
    points_ras_mm
        (positions, 3) where each position lies in RAS millimetres; None where that is not known.
    deviation
        (positions, times) float32 standard deviation of ``intensity``, NaN outside the image; None where the method
        told none (the part ``uncertainty`` of the series).
    """

    positions_mm: NDArray[np.float64]
    times_s: NDArray[np.float64]
    intensity: NDArray[np.float32]
    valid: NDArray[np.bool_]
    synthetic: NDArray[np.bool_]
    start_ras_mm: NDArray[np.float64]
    end_ras_mm: NDArray[np.float64]
    edge: EdgeTrack | None = None
    points_ras_mm: NDArray[np.float64] | None = None
    deviation: NDArray[np.float32] | None = None

    @property
    def edges_mm(self) -> NDArray[np.float64]:
        """(times,) edge position from the line's start, NaN where there is none."""
        return np.full(len(self.times_s), np.nan) if self.edge is None else self.edge.edge_mm

    @property
    def velocity_mm_per_s(self) -> NDArray[np.float64]:
        """(times,) edge velocity, positive away from the line's start, NaN for synthetic frames unless asked for."""
        return np.full(len(self.times_s), np.nan) if self.edge is None else self.edge.velocity_mm_per_s

    @property
    def acceleration_mm_per_s2(self) -> NDArray[np.float64]:
        """(times,) edge acceleration, positive away from the line's start, NaN as for the velocity."""
        return np.full(len(self.times_s), np.nan) if self.edge is None else self.edge.acceleration_mm_per_s2

    @property
    def turning_points(self) -> list[TurningPoint]:
        """Where the edge turns back: end diastole and end systole, or the targets of an articulator."""
        return turning_points(self.edges_mm, self.times_s, self.synthetic)

    @property
    def edge_width_mm(self) -> NDArray[np.float64]:
        """(times,) 10-90 % width of the edge."""
        return np.full(len(self.times_s), np.nan) if self.edge is None else self.edge.width_mm

    @property
    def edge_deviation_mm(self) -> NDArray[np.float64]:
        """(times,) standard deviation of the edge position, see ``uncertainty``; NaN where it cannot be told."""
        if self.deviation is None:
            return np.full(len(self.times_s), np.nan)
        return edge_deviation(self.positions_mm, self.intensity, self.deviation, self.edges_mm)

    def with_edge(self, polarity: Polarity = "either", **options: Any) -> MMode:
        """A copy with the edge tracked anew; options as for ``track_edge``."""
        edge = track_edge(self.positions_mm, self.times_s, self.intensity, self.synthetic, polarity=polarity, **options)
        return replace(self, edge=edge)
