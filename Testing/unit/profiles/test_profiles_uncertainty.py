"""A method's standard deviation on its way to the edge: from the voxels, along the line, into mm."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.profiles import MMode, line_profile
from DynamicMRIReconLib.profiles.table import write_csv
from DynamicMRIReconLib.profiles.uncertainty import edge_deviation

POSITIONS = np.arange(0.0, 20.0, 0.5)


def ramp(centre: float, slope: float) -> np.ndarray:
    return np.clip(50 + slope * (POSITIONS - centre), 0, 100)


def test_deviation_over_slope() -> None:
    intensity = np.stack([ramp(8.0, 10.0), ramp(9.3, 40.0), ramp(11.0, -20.0)], axis=1)
    deviation = np.stack([np.full(40, 2.0), np.full(40, 2.0), 0.5 * POSITIONS], axis=1)
    found = edge_deviation(POSITIONS, intensity, deviation, np.array([8.1, 9.3, 11.0]))
    np.testing.assert_allclose(found, [0.2, 0.05, 5.5 / 20])


def test_it_is_what_a_shifted_edge_does_to_the_brightness() -> None:
    """Brightness that is off by its standard deviation moves the half-way point by the edge's, to first order."""
    high = edge_deviation(POSITIONS, ramp(8.0, 10.0)[:, None], np.full((40, 1), 3.0), np.array([8.0]))[0]
    lifted = ramp(8.0, 10.0) + 3.0 * (np.abs(POSITIONS - 8) < 3)
    moved = np.interp(50.0, lifted[8:24], POSITIONS[8:24])
    assert abs(moved - 8.0) == pytest.approx(high)


def test_nothing_is_told_where_nothing_can_be() -> None:
    flat, step = np.full(40, 7.0), ramp(8.0, 10.0)
    intensity = np.stack([flat, step, step, step], axis=1)
    outside = np.ones((40, 4))
    outside[10:20, 3] = np.nan
    found = edge_deviation(POSITIONS, intensity, outside, np.array([8.0, np.nan, 18.0, 8.0]))
    assert np.isnan(found).all()


def series(parts: dict[str, np.ndarray]) -> ImageSeries:
    x = np.arange(30.0)
    array = np.stack([100 / (1 + np.exp(-(x - 12 - t) / 0.8)) for t in range(4)])[:, None, None, :]
    array = np.repeat(array, 20, axis=2)
    return ImageSeries(array, np.diag([2.0, 2.0, 5.0, 1.0]), [0.0, 0.03, 0.05, 0.08], parts=parts)


def test_the_part_of_a_series_is_sampled_along_the_line(tmp_path: Path) -> None:
    """A deviation that grows with x, at the places where the line is."""
    plain = series({})
    told = np.broadcast_to(np.arange(30.0, dtype=np.float32) / 10, plain.array.shape).copy()
    made = line_profile(series({"uncertainty": told, "sparse": told}), (4.0, 20.0, 0.0), (50.0, 20.0, 0.0))
    assert made.deviation is not None
    np.testing.assert_allclose(made.deviation, np.broadcast_to((2.0 + made.positions_mm / 2)[:, None] / 10, (47, 4)))
    assert np.isfinite(made.edge_deviation_mm).all()
    assert (np.diff(made.edge_deviation_mm) > 0).all(), "the edge moves to where less is known"
    with write_csv(made, tmp_path / "edge.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["edge_sd_mm"]) for row in rows], made.edge_deviation_mm, atol=1e-4)


def test_without_the_part_there_is_none() -> None:
    made: MMode = line_profile(series({}), (4.0, 20.0, 0.0), (50.0, 20.0, 0.0))
    assert made.deviation is None
    assert np.isnan(made.edge_deviation_mm).all()
