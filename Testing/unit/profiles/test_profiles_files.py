"""Tables and pictures of profiles: exact text, real pixels, nothing half-written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles import MMode, region_curve
from DynamicMRIReconLib.profiles.pictures import write_chart_png, write_mmode_png
from DynamicMRIReconLib.profiles.table import write_csv, write_edges_csv, write_matrix_csv, write_regions_csv

TIMES = np.array([0.0, 0.1, 0.2, 0.6, 0.7])


def mmode(*, edge: bool = True, synthetic: tuple[int, ...] = (1,), times: np.ndarray = TIMES) -> MMode:
    positions = np.arange(0, 20, 0.5)
    centres = 8 + 10 * times
    intensity = (100 / (1 + np.exp(-(positions[:, None] - centres) / 0.6))).astype(np.float32)
    valid = positions < 18
    intensity[~valid] = np.nan
    flags = np.zeros(len(times), bool)
    flags[list(synthetic)] = True
    made = MMode(positions, times, intensity, valid, flags, np.zeros(3), np.array([19.5, 0, 0]))
    return made.with_edge() if edge else made


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_edge_table(tmp_path: Path) -> None:
    made = mmode()
    path = write_csv(made, tmp_path / "edge.csv")
    header, *rows = rows_of(path)
    assert header == [
        "time_s",
        "edge_mm",
        "velocity_mm_per_s",
        "acceleration_mm_per_s2",
        "edge_width_mm",
        "edge_sd_mm",
        "synthetic",
    ]
    assert path.read_bytes().count(b"\r\n") == len(TIMES) + 1
    np.testing.assert_allclose([float(row[0]) for row in rows], TIMES)
    np.testing.assert_allclose([float(row[1]) for row in rows], 8 + 10 * TIMES, atol=0.05)
    assert [row[5] for row in rows] == [""] * 5, "no method told an uncertainty"
    assert [row[6] for row in rows] == ["0", "1", "0", "0", "0"]
    assert rows[1][2] == rows[1][3] == ""
    np.testing.assert_allclose([float(row[3]) for i, row in enumerate(rows) if i != 1], 0, atol=2)
    # 10 % to 90 % of a logistic step of scale 0.6 mm.
    np.testing.assert_allclose([float(row[4]) for row in rows], 2 * np.log(9) * 0.6, rtol=0.12)
    np.testing.assert_allclose([float(row[2]) for i, row in enumerate(rows) if i != 1], 10, atol=0.5)


def test_edge_table_without_an_edge_has_empty_fields(tmp_path: Path) -> None:
    rows = rows_of(write_csv(mmode(edge=False), tmp_path / "edge.csv"))[1:]
    assert all(row[1] == row[2] == "" for row in rows)


def test_several_edges_in_one_long_table(tmp_path: Path) -> None:
    """What R groups by: a row for each frame of each series and line, names quoted where they need it."""
    made = {("cine, raw", "tip"): mmode(), ("grasp", "tip"): mmode(times=TIMES[:3])}
    header, *rows = rows_of(write_edges_csv(made, tmp_path / "edges.csv"))
    assert header[:4] == ["series", "line", "time_s", "edge_mm"]
    assert [row[0] for row in rows] == ["cine, raw"] * 5 + ["grasp"] * 3
    assert {len(row) for row in rows} == {len(header)}
    np.testing.assert_allclose([float(row[3]) for row in rows[5:]], 8 + 10 * TIMES[:3], atol=0.05)


def test_region_table(tmp_path: Path) -> None:
    series = ImageSeries(np.arange(8.0).reshape(2, 1, 2, 2), np.eye(4), [0.0, 0.04], [False, True])
    curve = region_curve(series, np.array([[[True, False], [True, False]]]))
    header, *rows = rows_of(write_regions_csv({("cine", "pool"): curve}, tmp_path / "regions.csv"))
    assert header == ["series", "region", "time_s", "mean", "sd", "minimum", "maximum", "synthetic"]
    assert rows[0] == ["cine", "pool", "0.000000", "1", "1", "0", "2", "0"]
    assert rows[1] == ["cine", "pool", "0.040000", "5", "1", "4", "6", "1"]


def test_matrix_table(tmp_path: Path) -> None:
    made = mmode()
    header, *rows = rows_of(write_matrix_csv(made, tmp_path / "matrix.csv"))
    assert header[:3] == ["position_mm", "intensity_at_0.000000_s", "intensity_at_0.100000_s"]
    np.testing.assert_allclose([float(row[0]) for row in rows], made.positions_mm)
    assert all(field == "" for row in rows[-4:] for field in row[1:])
    values = np.array([[float(field) for field in row[1:]] for row in rows[:36]])
    np.testing.assert_allclose(values, made.intensity[:36], rtol=1e-6)


def pixels(path: Path) -> np.ndarray:
    from matplotlib.image import imread

    return np.asarray(imread(path))[..., :3]


def test_mmode_picture_draws_uneven_times_truly(tmp_path: Path) -> None:
    """Two frames far apart in time, black then white: the change is where halfway between them is, not in the middle
    of the columns."""
    made = mmode(edge=False, synthetic=(), times=np.array([0.0, 1.0, 2.0, 10.0]))
    intensity = np.zeros((40, 4), np.float32)
    intensity[:, 3] = 1
    made = MMode(made.positions_mm, made.times_s, intensity, np.ones(40, bool), made.synthetic, *2 * [np.zeros(3)])
    picture = pixels(write_mmode_png(made, tmp_path / "m.png", "Title"))
    row = picture[picture.shape[0] // 2].mean(axis=1)
    dark = np.flatnonzero(row < 0.02)
    start, last = dark[dark > 40][0], row.size
    bright = np.flatnonzero(row[start:] > 0.98) + start
    # The axis runs from -0.5 s to 14 s and the border lies at 6 s.
    change = bright[0]
    run = np.flatnonzero(np.diff(bright) > 1)
    end = bright[run[0]] if run.size else last
    assert (change - start) / (end - start) == pytest.approx(6.5 / 14.5, abs=0.02)


def test_pictures_show_synthetic_frames_and_edges(tmp_path: Path) -> None:
    plain = pixels(write_mmode_png(mmode(edge=False, synthetic=()), tmp_path / "plain.png"))
    edge = pixels(write_mmode_png(mmode(synthetic=()), tmp_path / "edge.png"))
    hatched = pixels(write_mmode_png(mmode(edge=False), tmp_path / "hatched.png"))

    def orange(picture: np.ndarray) -> int:
        return int(((picture[..., 0] > 0.9) & (picture[..., 2] < 0.2)).sum())

    def light_blue(picture: np.ndarray) -> int:
        return int(((picture[..., 2] - picture[..., 0]) > 0.25).sum())

    assert orange(plain) == 0
    assert orange(edge) > 200
    assert light_blue(hatched) > light_blue(plain) + 200


@pytest.mark.parametrize("made", [mmode(), mmode(edge=False), mmode(times=np.array([0.3]), synthetic=())])
def test_charts_are_drawn_for_whatever_there_is(made: MMode, tmp_path: Path) -> None:
    picture = pixels(write_chart_png(made, tmp_path / "chart.png", "Edge"))
    assert picture.shape[0] > 500
    assert picture.std() > 0.05


def test_nothing_is_left_where_the_folder_is_missing(tmp_path: Path) -> None:
    for write in (write_csv, write_matrix_csv, write_mmode_png, write_chart_png):
        with pytest.raises(InputError, match="does not exist"):
            write(mmode(), tmp_path / "missing" / "x.out")
    assert not list(tmp_path.iterdir())
