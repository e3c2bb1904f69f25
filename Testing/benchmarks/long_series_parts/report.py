"""The section of docs/reliability.md about long series, and its picture."""

from __future__ import annotations

import platform
import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from long_series_parts.cases import CASES, LENGTHS, LONGEST

from DynamicMRIReconLib import spool

matplotlib.use("Agg")
from matplotlib import pyplot

PICTURE = Path(__file__).resolve().parents[3] / "docs" / "pictures" / "long-series-memory.png"
LIMIT_GIB = 4.0

_PART = """## Long series

Written by `python Testing/benchmarks/long_series.py --write` ({system}, Python {python}, one thread).

Speech of 84 x 84 voxels, 12 ms a frame: a simulated scan of 40 frames, repeated. Memory of the worker (`recon --job`,
or the command `profile`) is read from `/proc` every 20 ms. *Own* is what only this process holds
(`RssAnon`); *with files* adds pages of files (`RssFile`): libraries, and the part of an array kept in a temporary
file that is being looked at, which the system can take back at any time. Arrays above {threshold:g} MiB lie in such
files ([user-guide.md](user-guide.md#long-series)); below, memory grows with them. *Data* is the size of the
input's and the result's arrays. Networks are untrained and small, of the form of those that ship, through which
25,000 frames take more than an hour of a CPU; memory for the data is the same. The computer was busy with other
work: the times are no measure of speed.

| run | frames | data [GiB] | own [MiB] | with files [MiB] | time [s] |
|---|---:|---:|---:|---:|---:|
{rows}

{longest}

![Memory of long series](pictures/long-series-memory.png)

Left: a run of 25,000 frames from its start to its end. Right: the most memory of each run, and, dotted, how much data
gridding has to do with. `cardiac-vsr` goes through its network 256 frames at a time; its rows are of a smaller network
and from before the search for the heart's phase went block by block, too. For 6000 frames of 64 x 64 the search alone
then took the program to 987 MiB and takes it to 245 MiB now, for 25,000 to 464 MiB, 400 of them pages of the series'
file.
"""


def part(rows: list[dict[str, Any]]) -> str:
    """The section."""
    lines = [
        f"| {row['case']} | {row['frames']} | {_data_gib(row):.2f} | {row['own_mib']:.0f} | {row['peak_mib']:.0f} | "
        f"{row['seconds']:.0f} |"
        for row in _sorted(rows)
    ]
    return _PART.format(
        system=platform.system(),
        python=platform.python_version(),
        threshold=spool.DEFAULT_MIB,
        rows="\n".join(lines),
        longest=_about_longest(rows),
    )


def write_picture(rows: list[dict[str, Any]]) -> None:
    """Memory over time of the longest gridding run, and peak memory over the number of frames."""
    figure, (over_time, over_frames) = pyplot.subplots(1, 2, figsize=(11, 4.6))
    longest = next((row for row in _sorted(rows) if row["samples"]), None)
    if longest is not None:
        seconds, own, files = zip(*longest["samples"], strict=True)
        labels = ["own memory", "pages of files"]
        over_time.stackplot(seconds, own, files, labels=labels, colors=["#1f4e79", "#9dc3e6"])
        over_time.axhline(1024 * LIMIT_GIB, color="#a00000", linestyle="--", label=f"{LIMIT_GIB:g} GiB")
        over_time.set_title(f"{longest['case'].replace('`', '')}, {longest['frames']:,} frames", fontsize=9)
        over_time.legend(loc="upper right", fontsize=8)
    over_time.set(xlabel="time [s]", ylabel="memory of the worker [MiB]", ylim=(0, 1.1 * 1024 * LIMIT_GIB))
    for name in CASES:
        found = [row for row in _sorted(rows) if row["case"] == name]
        if found:
            x, y = [row["frames"] for row in found], [row["peak_mib"] for row in found]
            over_frames.plot(x, y, marker="o", markersize=4, label=name.replace("`", ""))
    lengths = np.geomspace(LENGTHS[0], LONGEST, 50)
    data = [1024 * _data_gib({"case": next(iter(CASES)), "frames": frames}) for frames in lengths]
    over_frames.plot(lengths, data, color="0.5", linestyle=":", label="data of gridding: input and result")
    over_frames.axhline(1024 * LIMIT_GIB, color="#a00000", linestyle="--")
    over_frames.set(xlabel="frames", ylabel="most memory, own and pages of files [MiB]", xscale="log")
    over_frames.set_ylim(0, 1.1 * 1024 * LIMIT_GIB)
    ticks = sorted({row["frames"] for row in rows if row["frames"] in (50, 200, *LENGTHS)})
    over_frames.set_xticks(ticks, [f"{tick:,}" for tick in ticks], minor=False, fontsize=8)
    over_frames.minorticks_off()
    over_frames.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0.0, 0.9))
    for axis in (over_time, over_frames):
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=110)
    pyplot.close(figure)


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (list(CASES).index(row["case"]), row["frames"]))


def _data_gib(row: dict[str, Any]) -> float:
    """Samples, trajectory or mask, and result."""
    case, voxels = CASES[row["case"]], 84 * 84
    radial = 13 * 2 * 84 * (8 * case.coils + 2 * 4)
    before = {"radial": radial, "cartesian": voxels * (8 * case.coils + 1), "series": 4 * voxels}[case.kind]
    after = {"ifnet": 8, "speech": 16, "profile": 0, "cardiac-vsr": 16}.get(case.method, 8) * voxels
    return float(row["frames"] * (before + after)) / 2**30


def _reaches_files(name: str, rows: list[dict[str, Any]]) -> bool:
    """Whether the longest run of a case had an array above the threshold: samples or result, 8 bytes a voxel."""
    frames = max((row["frames"] for row in rows if row["case"] == name), default=0)
    values = {"gridding": 8 * 4 * 13 * 168, "ifnet": 8 * 84 * 84, "speech": 16 * 84 * 84, "cardiac-vsr": 16 * 84 * 84}
    return frames * values.get(CASES[name].method, 8 * 84 * 84) > spool.DEFAULT_MIB * 2**20


def _about_longest(rows: list[dict[str, Any]]) -> str:
    done = [row for row in _sorted(rows) if row["frames"] == LONGEST and row["code"] == 0]
    most = max((row["peak_mib"] for row in done), default=0.0)
    ran = {row["case"] for row in done}
    missing = [f"{case.method} ({case.suffix})" for name, case in CASES.items() if name not in ran]
    said = f"With {LONGEST:,} frames {len(done)} of {len(CASES)} were run; they held at most {most:.0f} MiB."
    if missing:
        said += f" Not run at that length: {', '.join(missing)}."
    short = [case.method for name, case in CASES.items() if name not in ran and not _reaches_files(name, rows)]
    if short:
        said += f" Run only with arrays that stay in memory, which shows nothing of longer ones: {', '.join(short)}."
    return textwrap.fill(said, 119)
