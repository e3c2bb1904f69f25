"""``evaluate``: how near a result is to a reference."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from DynamicMRIReconLib.cli_common import existing, print_json, read_series
from DynamicMRIReconLib.errors import InputError


def add_command(commands: Any) -> None:
    """Add ``evaluate`` to the command line."""
    parser = commands.add_parser("evaluate", help="compare a result with a reference: PSNR, SSIM, NRMSE")
    parser.add_argument("result", metavar="RESULT", help="image series")
    parser.add_argument("reference", metavar="REFERENCE", help="image series on the same grid")
    parser.add_argument("--roi", metavar="auto|x0,y0,x1,y1", help="compare only there: voxel indices, or what moves")
    parser.add_argument(
        "--cardiac",
        metavar="auto|published|x0,y0,x1,y1",
        help="also CardiacPSNR and CardiacSSIM: in the box around what beats, in the published one, or in this one",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the measures."""
    roi = _roi(arguments.roi)
    result, reference = existing(arguments.result), existing(arguments.reference)
    from DynamicMRIReconLib.evaluation import evaluate, means

    measures: dict[str, Any] = evaluate(read_series(result), read_series(reference), roi=roi, cardiac=arguments.cardiac)
    if arguments.json:
        print_json(measures)
        return 0
    for line in summary(means(measures)):
        print(line)
    if measures["cardiac"] is not None:
        x0, y0, x1, y1 = measures["cardiac"]["box"]
        print(f"Heart ({measures['cardiac']['rule']}): {x0},{y0},{x1},{y1}")
    return 0


def summary(measures: Mapping[str, float | None]) -> list[str]:
    """The mean measures as lines for people; a value that does not exist (equal images have no PSNR) as a dash."""
    rows = (
        *(("PSNR", "psnr_db", ".2f", " dB"), ("SSIM", "ssim", ".4f", ""), ("NRMSE", "nrmse", ".4f", "")),
        *(("CardiacPSNR", "cardiac_psnr_db", ".2f", " dB"), ("CardiacSSIM", "cardiac_ssim", ".4f", "")),
    )
    lines = []
    for title, key, form, unit in rows:
        if key in measures:
            value = measures[key]
            lines.append(f"{title}: " + ("-" if value is None else f"{value:{form}}{unit}"))
    return lines


def _roi(text: str | None) -> Any:
    if text is None or text == "auto":
        return text
    try:
        corners = tuple(int(word) for word in text.split(","))
    except ValueError:
        corners = ()
    if len(corners) != 4:
        raise InputError(f"--roi {text!r}: write auto, or four whole numbers x0,y0,x1,y1.")
    return corners
