"""Cardiac super-resolution on held-out cine and hearts: the tables of the paper, on our data.

``--write`` puts them, pictures and the figures of the model cards where they belong. The single-image networks are
trained as docs/training.md says, the rows of the ablations by ``--ablations``: minutes to hours each.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from cardiac_vsr_parts import ablations, cases
from cardiac_vsr_parts.measure import measure, parts
from cardiac_vsr_parts.pictures import write_picture
from cardiac_vsr_parts.report import page

from DynamicMRIReconLib import models
from DynamicMRIReconLib.models.card import Metric, write_card
from DynamicMRIReconLib.models.places import card_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks-cardiac-vsr.md"
PICTURES = ROOT / "docs" / "pictures"
DATA = ROOT.parent / "shared" / "data"
SCALES = (2, 3, 4)
#: the scales of pictures
SHOWN = (2, 4)
HEARTS = 2


def into_card(scale: int, rows: list[dict[str, Any]]) -> None:
    """Put the figures on held-out data into a card, keeping those of validation."""
    model = models.load(f"cardiac-vsr-x{scale}")
    kept = [one for one in model.card.metrics if one.data == "validation"]
    for row in (one for one in rows if one["method"] == "cardiac-vsr"):
        same = [one for one in rows if one["case"] == row["case"] and one is not row]
        for key, name in (("cardiac_psnr_db", "CardiacPSNR [dB]"), ("cardiac_ssim", "CardiacSSIM")):
            others = {one["method"]: round(one[key], 4) for one in same}
            kept.append(Metric(name=name, data=row["case"], value=round(row[key], 4), compared_with=others))
    write_card(card_of(model.path), model.card.model_copy(update={"metrics": kept}))


def main() -> int:
    """Measure, print the page, and write it when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}, pictures and the model cards")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with cine_sax_dicom and cine_4ch (%(default)s)")
    parser.add_argument(
        "--network",
        nargs=3,
        action="append",
        default=[],
        metavar=("SCALE", "NAME", "FILE"),
        help="another to compare with",
    )
    parser.add_argument("--scales", type=int, nargs="*", default=SCALES, choices=SCALES)
    parser.add_argument("--results", type=Path, help="keep the figures in this JSON file; measure what it lacks")
    parser.add_argument(
        "--ablations",
        type=Path,
        metavar="FOLDER",
        help="train and measure what this folder lacks of the paper's Table 2; with --write, show what it has",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the ablations, one after the other (1)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting for all rows of the ablations"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    others = {scale: {name: Path(file) for at, name, file in arguments.network if int(at) == scale} for scale in SCALES}
    rows: dict[str, Any] = {"figures": []}
    if arguments.results and arguments.results.exists():
        rows = json.loads(arguments.results.read_text(encoding="utf-8"))
    short = cases.short_axis(arguments.data)
    for case in (short, cases.four_chambers(arguments.data), cases.hearts(HEARTS)):
        for scale in arguments.scales:
            rows["figures"] += measure(case, scale, others[scale], rows["figures"])
            _keep(rows, arguments.results)
    if "parts" not in rows and set(arguments.scales) == set(SCALES):
        rows["parts"] = parts(short, max(SCALES))
        _keep(rows, arguments.results)
    if arguments.ablations:
        if not arguments.write:
            changed = dict(one.split("=", 1) for one in arguments.set)
            ablations.run(arguments.ablations, arguments.data, arguments.seeds, changed)
        rows["ablations"] = ablations.read(arguments.ablations)
    text = page(rows)
    print(text)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
        for scale in SHOWN:
            write_picture(short, scale, others[scale], PICTURES / f"cardiac-vsr-x{scale}.png")
        for scale in SCALES:
            into_card(scale, [row for row in rows["figures"] if row["scale"] == scale])
    return 0


def _keep(rows: dict[str, Any], path: Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
