"""TextGrids as Praat writes them, long and short, and ours there and back; the edge measured label by label."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from DynamicMRIReconLib.audio import (
    Interval,
    Point,
    TextGrid,
    measure_labels,
    read_textgrid,
    write_labels_csv,
    write_textgrid,
)
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.profiles import MMode

#: laid out as Praat 6 saves it
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0 
xmax = 2.3 
tiers? <exists> 
size = 2 
item []: 
    item [1]:
        class = "IntervalTier" 
        name = "phones" 
        xmin = 0 
        xmax = 2.3 
        intervals: size = 3 
        intervals [1]:
            xmin = 0 
            xmax = 0.7 
            text = "" 
        intervals [2]:
            xmin = 0.7 
            xmax = 1.25 
            text = "t" 
        intervals [3]:
            xmin = 1.25 
            xmax = 2.3 
            text = "a ""long"" 3" 
    item [2]:
        class = "TextTier" 
        name = "bursts" 
        xmin = 0 
        xmax = 2.3 
        points: size = 1 
        points [1]:
            number = 0.9 
            mark = "b" 
"""  # noqa: W291
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
2.3
<exists>
2
"IntervalTier"
"phones"
0
2.3
3
0
0.7
""
0.7
1.25
"t"
1.25
2.3
"a ""long"" 3"
"TextTier"
"bursts"
0
2.3
1
0.9
"b"
"""
GRID = TextGrid(
    0.0, 2.3, {"phones": [Interval(0.7, 1.25, "t"), Interval(1.25, 2.3, 'a "long" 3')]}, {"bursts": [Point(0.9, "b")]}
)


@pytest.mark.parametrize("text", [LONG, SHORT])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_both_forms_in_all_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(text.encode(encoding))
    assert read_textgrid(path) == GRID


def test_letters_that_are_not_ascii(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(LONG.replace('"t"', '"ʃə"').encode("utf-16"))
    assert read_textgrid(path).intervals["phones"][0].label == "ʃə"


def test_there_and_back_fills_the_gaps(tmp_path: Path) -> None:
    path = write_textgrid(GRID, tmp_path / "out.TextGrid")
    assert read_textgrid(path) == GRID
    assert path.read_text(encoding="utf-8").splitlines() == [line.rstrip() for line in LONG.splitlines()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just text", "no TextGrid"),
        (LONG[: LONG.index("intervals [3]")], "cut short"),
        (LONG.replace("xmax = 1.25", "xmax = 0.5"), "ends before it starts"),
        (LONG.replace("xmax = 2.3", "xmax = -1", 1), "before its start"),
        (LONG.replace("IntervalTier", "PitchTier"), "no kind of tier"),
        (LONG.replace("size = 2", 'size = "two"'), "number was expected"),
        (LONG.replace("size = 3", "size = 1e400"), "damaged"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_textgrid(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_textgrid(tmp_path / "missing.TextGrid")


@pytest.mark.parametrize(
    "grid",
    [
        TextGrid(0.0, 1.0),
        TextGrid(0.0, 1.0, {"a": [Interval(0.1, 0.5, "x"), Interval(0.4, 0.6, "y")]}),
        TextGrid(0.0, 1.0, {"a": [Interval(0.1, 1.5, "x")]}),
        TextGrid(0.0, 1.0, points={"a": [Point(1.5, "x")]}),
    ],
)
def test_what_praat_would_refuse_is_not_written(tmp_path: Path, grid: TextGrid) -> None:
    with pytest.raises(InputError):
        write_textgrid(grid, tmp_path / "a.TextGrid")
    assert list(tmp_path.iterdir()) == []


def test_the_edge_label_by_label(tmp_path: Path) -> None:
    """An edge at 5 mm + 10 mm/s t; the sound began 0.2 s after the images."""
    times = np.arange(0.0, 2.0, 0.05)
    positions = np.arange(0.0, 30.0, 0.5)
    intensity = (100 / (1 + np.exp(-(positions[:, None] - 5 - 10 * times) / 0.5))).astype(np.float32)
    flags = np.zeros(len(times), bool)
    flags[10] = True
    made = MMode(positions, times, intensity, np.ones(60, bool), flags, np.zeros(3), np.ones(3)).with_edge("rising")
    first, empty = measure_labels(made, "phones", [Interval(0.2, 0.5, "t"), Interval(3.0, 3.2, "a")], offset_s=0.2)
    assert (first.start_s, first.end_s) == (0.4, 0.7)
    assert first.frames == 5, "0.40 to 0.65 s, without the synthetic frame at 0.50 s"
    assert first.lowest_mm == pytest.approx(9.0, abs=0.05)
    assert first.highest_mm == pytest.approx(11.5, abs=0.05)
    assert first.fastest_mm_per_s == pytest.approx(10.0, abs=0.5)
    assert empty.frames == 0
    with write_labels_csv([first, empty], tmp_path / "l.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:4] == ["tier", "label", "start_s", "end_s"]
    assert rows[1][:5] == ["phones", "t", "0.400000", "0.700000", "5"]
    assert rows[2][5:] == [""] * 5
