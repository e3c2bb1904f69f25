"""The page of figures, with the paper's beside them."""

from __future__ import annotations

import platform
from typing import Any

import torch
from cardiac_vsr_parts.ablations_report import section

FIRST, LAST = ("true low-pass", "bicubic, as published", "bicubic"), "cardiac-vsr"
#: CardiacPSNR, CardiacSSIM of the paper: ACDC, DSB15
PAPER = {
    (2, "bicubic, as published"): ("33.09 / .9362", "34.17 / .9597"),
    (3, "bicubic, as published"): ("29.07 / .8472", "29.12 / .8854"),
    (4, "bicubic, as published"): ("27.00 / .7611", "26.52 / .8065"),
    (2, "single image"): ("37.30 / .9681", "40.17 / .9815"),
    (3, "single image"): ("32.82 / .9201", "33.99 / .9424"),
    (4, "single image"): ("30.25 / .8631", "30.64 / .8907"),
    (2, "cardiac-vsr"): ("37.50 / .9696", "40.46 / .9821"),
    (3, "cardiac-vsr"): ("32.93 / .9231", "34.22 / .9451"),
    (4, "cardiac-vsr"): ("30.41 / .8668", "30.91 / .8956"),
}

_ABOUT = """\
The models that ship ([models.md](models.md)) on what no training has seen: three slices of the real short-axis cine
whose other slices were trained on (the same person), a real four-chamber cine of another person and scanner, and
phantoms of other seeds. Images are prepared as the published ones: cut off at the 99.5th percentile, whole numbers from
0 to 255, cropped to a multiple of 12, made coarse by cropping k-space and then cubic convolution, rounded.

CardiacPSNR and CardiacSSIM are means over frames and slices in the box of the heart's first harmonic. *Official* are
those in the published box and with the published SSIM kernel (`parity`); the published box comes from the first slice
alone and is often much larger than the heart. *True low-pass* are the true frames with the coarse frames' part of
k-space only: what an interpolation without any blur of its own would give. *Data consistency* is the last step of the
method ([cardiac-vsr.md](cardiac-vsr.md)); the published networks have none.

What ships as `cardiac-vsr` at x2 and x4 has 508,014 and 528,846 parameters. It begins with a single-image network of 31
residual blocks that learned from nothing for 8850 (x2) and 3300 updates (x4), and was trained for 1500 and 2000 more.
*Single image, same size* is a plain residual network of 505,633 and 526,465 parameters that begins with the same
weights, has 15 more blocks that change nothing at first, and was trained for as many updates more, with the same loss,
learning rates, noise and kind of clips: what is different is only whether new layers look deeper into a frame, or at
other frames. At x3 ships a network of 367,398 parameters that begins with a single-image network of 2100 updates and
was trained for 800 more; *single image* has 208,777 parameters and went on from the same weights.

CPU times were measured beside other computations.

The paper's figures are of the full network after 1000 epochs on 80 to 100 patients, EDSR as the single-image network;
they stand beside for orientation."""

_SEEN = """\
What to make of it: on the real short-axis slices the models are ahead of aligned bicubic interpolation by far, 3.0 dB
at x2 and 2.1 at x4, and even of the true low-pass frames: they learned what edges look like. They are ahead of a
plain single-image network of their size by 0.05 to 0.19 dB on everything here, but for the most part by data
consistency: given it, too, the single-image network comes within 0.01 to 0.07 dB on real cines and is ahead on
phantoms. One training of each: differences of less than a tenth may be chance. From time the models learned next to
**nothing**: taking the warm-up away or swapping ED and ES changes no figure. Depth tells more: a network of x2 with
15 residual blocks and the same memories had 31.96 dB on the short-axis slices and 33.07 on phantoms after 8850
updates in all, data consistency included. The paper's own distance to EDSR is 0.1 to 0.3 dB after 20 million clips;
these models saw about 20,000 and 11,000. On the noisy four-chamber cine, a view and a scanner that no training has
seen, 0.6 to 0.8 dB are gained: at x2 half of the squared error that is left is noise of the reference, which no
method can tell, and the true low-pass frames themselves are only 0.6 dB ahead of interpolation."""

_NOT = """\
Not measured: the full-width network, other video networks, anything on a GPU."""


def page(rows: dict[str, Any]) -> str:
    """The whole page."""
    lines = [
        "# Cardiac super-resolution, measured",
        "",
        "Written by `python Testing/benchmarks/cardiac_vsr.py --write`.",
        "",
        f"{platform.machine()}, one thread; Python {platform.python_version()}, torch {torch.__version__}.",
        "",
        *_ABOUT.splitlines(),
        "",
    ]
    for scale in (2, 3, 4):
        found = _sorted([row for row in rows["figures"] if row["scale"] == scale])
        if found:
            lines += [f"## x{scale}", "", *_table(found), *_gains(found)]
    for scale in (2, 4):
        lines += [f"![A held-out slice near end systole, x{scale}](pictures/cardiac-vsr-x{scale}.png)", ""]
    lines += [*_SEEN.splitlines(), "", "## What the network is given", "", *_parts(rows)]
    lines += ["## The parts of the network", "", *section(rows.get("ablations")), *_NOT.splitlines(), ""]
    return "\n".join(lines)


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    cases = list(dict.fromkeys(row["case"] for row in rows))

    def place(row: dict[str, Any]) -> tuple[int, int, str]:
        name = row["method"]
        group = FIRST.index(name) if name in FIRST else len(FIRST) + name.startswith(LAST) + (name == LAST)
        return cases.index(row["case"]), group, name

    return sorted(rows, key=place)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| on | | CardiacPSNR [dB] | CardiacSSIM | official | CPU s a frame | paper: ACDC | DSB15 |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        name = row["method"]
        if name.startswith("single image") and not name.endswith("data consistency"):
            name = "single image"
        paper = PAPER.get((row["scale"], name), ("", ""))
        official = ""
        if "official_cardiac_psnr_db" in row:
            official = f"{row['official_cardiac_psnr_db']:.2f} / {row['official_cardiac_ssim']:.4f}"
        lines.append(
            f"| {row['case']} | {row['method']} | {row['cardiac_psnr_db']:.2f} | {row['cardiac_ssim']:.4f} "
            f"| {official} | {row['cpu_s_per_frame']:.2f} | {' | '.join(paper)} |"
        )
    return [*lines, ""]


def _gains(rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    for case in dict.fromkeys(row["case"] for row in rows):
        by_method = {row["method"]: row["cardiac_psnr_db"] for row in rows if row["case"] == case}
        ours = by_method["cardiac-vsr"]
        others = [name for name in by_method if name != "cardiac-vsr"]
        lines.append(
            f"- {case}: cardiac-vsr less "
            + ", ".join(f"{name} {ours - by_method[name]:+.2f} dB" for name in others)
            + "."
        )
    return [*lines, ""]


def _parts(rows: dict[str, Any]) -> list[str]:
    lines = [
        "The same trained network on the held-out short-axis slices, given less, or what is wrong. This is not an",
        "ablation: nothing was trained anew.",
        "",
        "| | | CardiacPSNR [dB] | CardiacSSIM |",
        "|---|---|---:|---:|",
    ]
    lines += [
        f"| x{row['scale']} | {row['change']} | {row['cardiac_psnr_db']:.3f} | {row['cardiac_ssim']:.4f} |"
        for row in rows.get("parts", [])
    ]
    return [*lines, ""]
