"""The page with the tables."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from volume_sr_parts.cases import FINE_SIZE, NOISE, SHIFTS_MM, SIZE, TURNS_DEGREES, WHOLE_MM

_PAPER = (
    "The paper (Wu et al., MICCAI 2021) gives its figures in plots only; its text ranks B-spline and SRR below IREM at "
    "k = 4 and k = 8 in PSNR and SSIM."
)


def page(table: dict[str, list[dict[str, Any]]], fetal: list[dict[str, Any]]) -> str:
    """docs/benchmarks-stacks.md."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "SimpleITK", "numpy"))
    lines = [
        "# One volume from several stacks, measured",
        "",
        f"Written by `python Testing/benchmarks/volume_sr.py --data FOLDER --write` on {platform.machine()}, one "
        f"thread; Python {platform.python_version()}, {versions}. Not for diagnostic use.",
        "",
        f"**Simulated stacks.** Three orthogonal stacks whose slices are means of k planes of a cube of {SIZE} voxels "
        f"a side ({FINE_SIZE} at full resolution) from the middle of the volume (the whole volume is too much for two "
        "CPU cores here), in place: registration is off. PSNR and SSIM against the cube, no factor in between; the "
        "data range is its largest value. CPU time and peak memory are of the whole program, imports (about 4 s) "
        "included.",
        "",
        "B-spline, SRR and IREM are the preset `standard`. SRR takes slices to be Gaussian, as scanners excite; IREM "
        "takes them as boxes, which is what this simulation makes of them. For a fair comparison SRR is also shown "
        "with the true profile (`slice_profile=boxcar`, `in_plane_blur=0`), with several weights, and with its total "
        "variation penalty, from which IREM starts: what training adds to that start is the difference to those rows. "
        "IREM's epochs and weights were chosen on the MNI cube at k = 4, its profile after a Gaussian one had lost "
        "there; the phantom took no part in that. How much IREM smooths it finds itself, by voxels that it leaves out; "
        "the rows name that weight (SRR's weights count a sum where IREM's count a mean: 0.001 in SRR is 0.0008 in "
        "IREM).",
        "",
        f"**With noise:** Gaussian noise is added to the stacks ({100 * NOISE:g} % of the largest value, standard "
        "deviation), of whose sum the magnitude is left. **With motion:** the whole brain, turned and shifted at its "
        f"full resolution of 1 mm before the second and the third stack ({_motions()}), averaged to {WHOLE_MM} mm; "
        "rigid registration is on for all methods, and what it leaves is said below the table. Outside of the brain "
        "there is nothing but noise, which counts in these figures.",
        "",
        _PAPER,
        "",
    ]
    for title, rows in table.items():
        lines += [f"## {title}", "", "| | PSNR | SSIM | CPU | memory |", "|---|---|---|---|---|"]
        lines += [
            f"| {_named(row)} | {row['psnr_db']:.2f} dB | {row['ssim']:.4f} | {row['cpu_s']:.0f} s "
            f"| {row['peak_bytes'] / 2**20:.0f} MiB |"
            for row in rows
        ]
        lines += ["", *_verdicts(rows)]
        if "left" in rows[-1]:
            mm, degrees = rows[-1]["left"]
            lines.append(f"- Registration leaves {mm:.2f} mm anywhere in the brain at most, and {degrees:.2f} degrees.")
        lines.append("")
    if table:
        lines += ["![Truth, one stack and results](pictures/stacks-simulated.png)", ""]
    return "\n".join(lines + _fetal(fetal))


def _named(row: dict[str, Any]) -> str:
    """With the weight that was found."""
    return row["name"] if row.get("weight") is None else f"{row['name']} (weight {row['weight']:.2g})"


def _motions() -> str:
    told = [
        f"{'/'.join(f'{v:g}' for v in turn)} degrees and {'/'.join(f'{v:g}' for v in shift)} mm"
        for turn, shift in zip(TURNS_DEGREES[1:], SHIFTS_MM[1:], strict=True)
    ]
    return "; ".join(told)


def _verdicts(rows: list[dict[str, Any]]) -> list[str]:
    """IREM beside each other row, losses as well as gains."""
    by_name = {row["name"]: row for row in rows}
    mine = by_name.pop("IREM")
    return [
        f"- IREM less {name}: {mine['psnr_db'] - other['psnr_db']:+.2f} dB, SSIM {mine['ssim'] - other['ssim']:+.4f}."
        for name, other in by_name.items()
    ]


def _fetal(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [
        "## Six stacks of a fetus",
        "",
        "Three orientations twice, 1.125 x 1.125 mm pixels, slices of 3 mm every 3.3 mm, with the brain masks that "
        "come with them; voxels of 1.125 mm. `srr` with two rounds of slice-to-volume registration, the others with "
        "rigid registration of whole stacks; none with `registration_refinements`. NCC with the published volume of "
        "the same stacks (another program's result, no truth), after rigid registration onto it; sharpness is the mean "
        "length of the gradient a voxel over the mean intensity, in the same voxels.",
        "",
        "| | NCC with the published | sharpness | CPU | memory |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {_named(row)} | {row['ncc']:.3f} | {row['sharpness']:.3f} | {row['cpu_s']:.0f} s "
        f"| {row['peak_bytes'] / 2**20:.0f} MiB |"
        for row in rows
    ]
    lines += [
        f"| published | 1 | {rows[0]['published_sharpness']:.3f} | | |",
        "",
        "Seen in the picture: all show the same brain in the same place. B-spline is blurred. SRR is sharp but has "
        "dark and bright rims at edges, overshoot of its Gaussian profile. IREM follows the noise with the weight that "
        "it finds; with the one that suits stacks without noise (0.0004) it was grainy, with an NCC of 0.709 and a "
        "sharpness of 0.341. Higher sharpness than the published volume's is no merit in this table, and neither is a "
        "high NCC of a blurred volume.",
        "",
        "![Results and the published volume](pictures/stacks-fetal.png)",
        "",
    ]
    return lines
