"""docs/benchmarks-speech.md from the rows."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from speech_parts.ablations import ROWS
from speech_parts.cases import MASKS

Row = dict[str, Any]
#: the paper's test figures: PSNR in dB, SSIM
PAPER_SPATIAL = {
    ("ADMM+TV", "arms6_1"): (24.43, 0.7862),
    ("ADMM+TV", "arms6_2"): (20.30, 0.6032),
    ("ADMM+TV", "arms6_6"): (17.40, 0.4918),
    ("MICCAN", "arms6_1"): (34.27, 0.9168),
    ("MICCAN", "arms6_2"): (29.72, 0.8340),
    ("MICCAN", "arms6_6"): (26.97, 0.7645),
}
PAPER_TEMPORAL = {
    "MICCAN, arms6_1": (40.73, 30.20),
    "MICCAN, arms6_2": (41.28, 26.72),
    "MICCAN, arms6_6": (40.80, 24.19),
    "true frames": (None, 39.22),
}


_ABOUT = """\
The models that ship ([models.md](models.md)) at {matrix} x {matrix}, on what no training has seen: phantoms of other
seeds, and the last third of the one real speech series, in which the mouth opens (the same speaker as in training).
Samples are made from magnitude images with a random smooth phase, one coil, without noise. PSNR with data range 1 and
SSIM with a Gaussian window are the paper's, means over frames. ADMM+TV has the best of the weights 0.001, 0.003, 0.01,
0.03 for these very frames, chosen for PSNR and for SSIM apart, and 100 iterations with exact steps. The paper's figures
are of other data, 128 x 128 images of 15 speakers, and of networks trained on a GPU for 100 epochs of about 40,000
frames; they stand beside for orientation."""
_ABLATIONS = """\
Networks of three blocks, from scratch, {steps} updates each at arms6_2 only (`Testing/benchmarks/speech_ablations.py`):
short trainings of one seed, to be compared with each other and not with the model that ships. In the paper attention
and the long skip gain 0.05 and 0.09 dB, after 100 epochs: which network is better in the end these cannot tell."""
_SEEN = """\
Errors are result minus truth; red is missing signal, blue signal that is not there. On phantoms palate, tongue and
pharynx are sharp at arms6_1 and arms6_2, and the airway is dark where total variation leaves it grey. The real frame
has the mouth wide open, which no real frame of the training had, but deformed ones: at arms6_1 it is open, and lips and
tongue are where they belong; at arms6_2 the tongue is, but a band of signal that is not there closes the lips; at
arms6_6 the network paints a face in general, mouth closed. Its figures are better than those of total variation all the
same. Where it matters what the mouth does, use arms6_1 or more samples, and compare with a method that was not trained.
How long training went on was decided by these figures."""
_BETWEEN = """\
Odd frames are interpolated from even ones. *rec* is against the frame of the same input, *gt* against the true frame.
M-mode: along the line from the palate through the tongue, RMS difference of intensity in % of the brightest, and mean
distance of the tracked edge from that in the true movie (the pixel size of the real series is not known). Phantoms:
means over persons.

What to make of it: on fast motion IFNet is ahead of linear interpolation. On phantoms at 50 and 80 ms a frame it has
0.8 and 0.3 dB more, an M-mode error smaller by 32 and 13 %, and the tongue's edge half as far off. The real speech
moves less in that time: at 48, 96 and 144 ms a frame IFNet has 0.10, 0.35 and 0.47 dB more; the M-mode's error is the
same up to 96 ms and smaller by 7 % at 144 ms. On slow motion, where neighbours hardly differ, the mean of the two is
nearer to the truth: on phantoms by 5 dB at 12 ms (45 against 50 dB) and 1.5 dB at 24 ms, though IFNet's M-mode
error is smaller there by 38 %; on real speech at 24 ms by 0.1 dB. MICCAN's errors are larger than those of either."""


def page(rows: dict[str, Any]) -> str:
    """The whole page."""
    lines = [
        "# Speech networks, measured",
        "",
        "Written by `python Testing/benchmarks/speech.py --write`.",
        "",
        f"{platform.machine()}, one thread; Python {platform.python_version()}, torch {torch.__version__}; "
        f"{rows['cpu_s'] / 60:.0f} CPU minutes. On a GPU: not measured.",
        "",
        *_ABOUT.format(matrix=rows["matrix"]).splitlines(),
        "",
        "## Undersampled frames (the paper's Table 1)",
        "",
        *_spatial(rows["spatial"]),
        "![Phantom](pictures/speech-phantom.png)",
        "",
        "![Real frame](pictures/speech-real.png)",
        "",
        *_SEEN.splitlines(),
        "",
        *_ablations(rows["ablations"]),
        "## Frames in between (the paper's Table 3)",
        "",
        *_BETWEEN.splitlines(),
        "",
        *_temporal(rows["temporal"]),
        "## Throughput",
        "",
        "| matrix | method | frames/s of CPU time |",
        "|---:|---|---:|",
        *(f"| {row['matrix']} | {row['method']} | {row['frames_per_s']:.1f} |" for row in rows["throughput"]),
        "",
    ]
    return "\n".join(lines)


def _by_case(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of each case, in the order in which they were measured."""
    return [(case, [row for row in rows if row["case"] == case]) for case in dict.fromkeys(row["case"] for row in rows)]


def _spatial(rows: list[Row]) -> list[str]:
    lines = []
    for case, found in _by_case(rows):
        lines += [
            f"### {case}",
            "",
            "| mask | sampled | | PSNR [dB] | SSIM | paper: PSNR | SSIM |",
            "|---|---:|---|---:|---:|---:|---:|",
        ]
        for mask in MASKS:
            for row in (one for one in found if one["mask"] == mask):
                paper = PAPER_SPATIAL.get((row["method"], mask))
                beside = f"{paper[0]:.2f} | {paper[1]:.4f}" if paper else " | "
                sampled = f"{100 * row['sampled']:.1f} %"
                lines.append(
                    f"| {mask} | {sampled} | {row['method']} | {row['psnr_db']:.2f} | {row['ssim']:.4f} | {beside} |"
                )
        lines.append("")
    return lines


def _ablations(rows: list[Row]) -> list[str]:
    """Nothing where nothing was trained."""
    if not rows:
        return []
    updates = " or ".join(str(number) for number in sorted({row["updates"] for row in rows}))
    lines = ["## Attention and long skip (the paper's Table 2)", "", *_ABLATIONS.format(steps=updates).splitlines(), ""]
    for case, found in _by_case(rows):
        lines += [
            f"### {case}, at arms6_2",
            "",
            "| | PSNR [dB] | SSIM | paper: PSNR | SSIM |",
            "|---|---:|---:|---:|---:|",
        ]
        for row in found:
            psnr_db, ssim = ROWS[row["row"]][1]
            lines.append(f"| {row['row']} | {row['psnr_db']:.2f} | {row['ssim']:.4f} | {psnr_db:.2f} | {ssim:.4f} |")
        lines.append("")
    return lines


def _temporal(rows: list[Row]) -> list[str]:
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        case = row["case"]
        if case.startswith("phantom"):
            case = f"phantoms, {case.split(', ')[1]}"
        groups[case, row["input"], row["method"]].append(row)
    head = "| frames | input | | PSNR rec [dB] | PSNR gt [dB] | SSIM gt | M-mode [%] | edge [mm] | paper: rec | gt |"
    lines = [head, "|---|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for (case, source, method), found in groups.items():
        paper = PAPER_TEMPORAL.get(source) if method == "IFNet" and case.startswith("real") else None
        cells = [_mean(found, key, form) for key, form in _COLUMNS]
        cells += ["", ""] if paper is None else ["" if one is None else f"{one:.2f}" for one in paper]
        lines.append(f"| {case} | {source} | {method} | {' | '.join(cells)} |")
    return [*lines, ""]


_COLUMNS: tuple[tuple[str, Callable[[float], str]], ...] = (
    ("psnr_rec_db", "{:.2f}".format),
    ("psnr_gt_db", "{:.2f}".format),
    ("ssim_gt", "{:.4f}".format),
    ("mmode_percent", "{:.2f}".format),
    ("edge_mm", "{:.2f}".format),
)


def _mean(rows: list[Row], key: str, form: Callable[[float], str]) -> str:
    values = [row[key] for row in rows if key in row]
    return form(sum(values) / len(values)) if values else ""
