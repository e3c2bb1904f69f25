"""The speech models on persons and frames they have not seen: the tables of the paper, on our data.

``--write`` puts them, pictures and the figures of the model cards where they belong.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from speech_parts import ablations, cases, spatial, temporal
from speech_parts.pictures import write_pictures
from speech_parts.report import page

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib import models
from DynamicMRIReconLib.models.card import Metric, write_card
from DynamicMRIReconLib.models.places import card_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks-speech.md"
PICTURES = ROOT / "docs" / "pictures"
DATA = ROOT.parent / "shared" / "data" / "speech_usc"
#: seconds a frame: the pair that IFNet sees is twice as far apart
FRAME_TIMES_S = (0.012, 0.024, 0.050, 0.080)
PERSONS, SPEAKERS, FRAMES = 24, 3, 17
#: every n-th frame of the real series: its own rate, and half and a third of it
REAL_STEPS = (1, 2, 4, 6)


def spatial_tables(arguments: argparse.Namespace, matrix: int) -> list[Any]:
    """Rows for both cases, and pictures of them when they are to be written."""
    rows, images = [], {}
    for case in (cases.persons(matrix, PERSONS), cases.real(arguments.data, matrix, 4)):
        found, shown = spatial.measure(case, arguments.miccan)
        rows += found
        images[case.title] = (case, shown)
        print(*(f"{row['case']} {row['mask']} {row['method']} {row['psnr_db']:.2f}" for row in found), sep="\n")
    if arguments.write:
        write_pictures(images, PICTURES)
    return rows


def ablations_table(arguments: argparse.Namespace, matrix: int) -> list[Any]:
    """Rows for the models of ``speech_ablations.py`` that are there."""
    if arguments.ablations is None:
        return []
    both = (cases.persons(matrix, PERSONS), cases.real(arguments.data, matrix, 4))
    return ablations.measure(both, arguments.ablations)


def temporal_tables(arguments: argparse.Namespace, matrix: int) -> list[Any]:
    """Rows for true frames at every speed, and for MICCAN's frames at one."""
    rows = []
    for frame_s in FRAME_TIMES_S:
        for person in range(SPEAKERS):
            case = cases.speaking(matrix, person, frame_s, FRAMES)
            rows += temporal.measure(case, {"true frames": case.frames}, arguments.ifnet)
    for step in REAL_STEPS:
        case = cases.real(arguments.data, matrix, step)
        count = len(case.frames) - 1 + len(case.frames) % 2
        title = f"real speech, {24.0 * step:.0f} ms a frame"
        case = replace(case, title=title, frames=case.frames[:count], times_s=case.times_s[:count])
        inputs = {"true frames": case.frames}
        if step == REAL_STEPS[1]:
            for mask in cases.MASKS:
                series = dmr.reconstruct(case.measured(mask), "miccan", device="cpu", weights=arguments.miccan)
                inputs[f"MICCAN, {mask}"] = series.array[:, 0]
        rows += temporal.measure(case, inputs, arguments.ifnet)
    print(*(f"{r['case']} {r['input']} {r['method']} {r['psnr_gt_db']:.2f} {r.get('edge_mm')}" for r in rows), sep="\n")
    return rows


def throughput(arguments: argparse.Namespace, matrix: int) -> list[Any]:
    """Frames a second of each method, one thread, at ``matrix`` and larger."""
    rows = []
    for size in (matrix, 84, 128):
        case = cases.speaking(size, 0, 0.024, 8)
        kspace = case.measured("arms6_1")
        for method, data, weights, made in (
            ("miccan", kspace, arguments.miccan, 8),
            ("ifnet", case.series(), arguments.ifnet, 7),
        ):
            started = time.process_time()
            dmr.reconstruct(data, method, device="cpu", weights=weights)
            rows.append({"matrix": size, "method": method, "frames_per_s": made / (time.process_time() - started)})
    return rows


def into_card(weights: str, metrics: list[Metric]) -> None:
    """Put the figures on held-out data into a card, keeping those of validation."""
    model = models.load(weights)
    kept = [one for one in model.card.metrics if one.data == "validation"]
    write_card(card_of(model.path), model.card.model_copy(update={"metrics": [*kept, *metrics]}))


def card_metrics(rows: dict[str, Any]) -> tuple[list[Metric], list[Metric]]:
    """What the cards of MICCAN and IFNet say of held-out data."""
    sharp, between = [], []
    for row in rows["spatial"]:
        if row["method"] != "MICCAN":
            continue
        same = [o for o in rows["spatial"] if (o["case"], o["mask"]) == (row["case"], row["mask"]) and o is not row]
        for key, name in (("psnr_db", "PSNR [dB]"), ("ssim", "SSIM")):
            others = {one["method"]: round(one[key], 4) for one in same}
            place = f"held-out {row['case']}, {row['mask']}"
            sharp.append(Metric(name=name, data=place, value=round(row[key], 4), compared_with=others))
    for row in rows["temporal"]:
        if row["method"] != "IFNet" or row["input"] != "true frames":
            continue
        same = [o for o in rows["temporal"] if (o["case"], o["input"]) == (row["case"], row["input"]) and o is not row]
        for key, name in (("psnr_gt_db", "PSNR_gt [dB]"), ("mmode_percent", "M-mode error [%]")):
            if key in row:
                others = {one["method"]: round(one[key], 3) for one in same}
                place = f"held-out {row['case']}"
                between.append(Metric(name=name, data=place, value=round(row[key], 3), compared_with=others))
    return sharp, between


def main() -> int:
    """Measure, print the page, and write it when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}, pictures and the model cards")
    parser.add_argument("--miccan", default="miccan-speech", help="model, or file of weights (%(default)s)")
    parser.add_argument("--ifnet", default="ifnet-speech", help="model, or file of weights (%(default)s)")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with cropped_panels.npz (%(default)s)")
    parser.add_argument("--ablations", type=Path, help="folder of speech_ablations.py: measure those models too")
    parser.add_argument("--matrix", type=int, default=64)
    parser.add_argument("--results", type=Path, help="keep the figures in this JSON file; measure what it lacks")
    parser.add_argument("--only", choices=("spatial", "temporal"), help="end after this part")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, Any] = {"matrix": arguments.matrix, "cpu_s": 0.0}
    if arguments.results and arguments.results.exists():
        rows = json.loads(arguments.results.read_text(encoding="utf-8"))
    parts = {"spatial": spatial_tables, "ablations": ablations_table, "temporal": temporal_tables}
    for name, measure in {**parts, "throughput": throughput}.items():
        if name in rows:
            continue
        started = time.process_time()
        rows[name] = measure(arguments, arguments.matrix)
        rows["cpu_s"] += time.process_time() - started
        if arguments.results:
            arguments.results.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        if arguments.only == name:
            return 0
    text = page(rows)
    print(text)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
        for weights, metrics in zip((arguments.miccan, arguments.ifnet), card_metrics(rows), strict=True):
            into_card(weights, metrics)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
