"""The 3D CNN on slices, a view and persons it has not seen, beside zero-filling and classical methods.

``--write`` puts the page, pictures and the figures of the model cards where they belong.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from cine_parts import ablations, cases
from cine_parts.pictures import write_picture
from cine_parts.report import page, summary
from cine_parts.runs import measure
from training_parts.trained import updates_of

from DynamicMRIReconLib import models
from DynamicMRIReconLib.models.card import Metric, write_card
from DynamicMRIReconLib.models.places import card_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks-cine.md"
PICTURES = ROOT / "docs" / "pictures"
DATA = ROOT.parent / "shared" / "data"
#: method in the tables -> model
NETWORKS = {
    "simple": "cnn3d-cine-simple",
    "complex": "cnn3d-cine-complex",
    "2 iterations": "cnn3d-cine-2",
    "3 iterations": "cnn3d-cine",
}
ACCELERATIONS = (8.0, 4.0)
PERSONS, PERSONS_WITH_COILS, COILS = 4, 2, 4
SHOWN = {cases.TEST_SLICES[0]: "cine-short-axis.png", "cine_4ch": "cine-four-chambers.png"}


def all_cases(folder: Path, matrix: int) -> list[cases.Case]:
    """One coil everywhere, and some phantoms with four."""
    return [
        *cases.slices(folder, matrix),
        *cases.four_chambers(folder, matrix),
        *cases.persons(matrix, PERSONS),
        *cases.persons(matrix, PERSONS_WITH_COILS, COILS),
    ]


def ablated(folder: Path) -> dict[str, str]:
    """The models of ``cine_ablations.py`` that are there, by the names of their rows."""
    return {
        ablations.title_of(row): str(ablations.model_of(folder, row))
        for row in ablations.ROWS
        if ablations.model_of(folder, row).exists()
    }


def _key(row: dict[str, Any]) -> tuple[str, str, float]:
    return row["case"], row["group"], row["acceleration"]


def into_cards(rows: list[dict[str, Any]], networks: dict[str, str]) -> None:
    """Put the figures on held-out data into the cards, keeping those of validation."""
    for name, weights in networks.items():
        model = models.load(weights)
        metrics = [one for one in model.card.metrics if one.data == "validation"]
        for group in dict.fromkeys(row["group"] for row in rows):
            for acceleration in dict.fromkeys(row["acceleration"] for row in rows if row["group"] == group):
                table = summary(rows, group, acceleration)
                for key, label in (("psnr_db", "PSNR [dB]"), ("ssim", "SSIM")):
                    others = {o: round(table[o][key][0], 4) for o in ("zero-filled", "grasp", "low-rank-sparse")}
                    place = f"held-out {group}, acceleration {acceleration:g}"
                    value = round(table[name][key][0], 4)
                    metrics.append(Metric(name=label, data=place, value=value, compared_with=others))
        write_card(card_of(model.path), model.card.model_copy(update={"metrics": metrics}))


def main() -> int:
    """Measure, print the page, and write it when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}, pictures and the model cards")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of cine_sax_dicom and cine_4ch (%(default)s)")
    parser.add_argument("--matrix", type=int, default=64)
    parser.add_argument("--results", type=Path, help="keep the figures in this JSON file; measure what it lacks")
    parser.add_argument(
        "--weights", nargs=len(NETWORKS), default=list(NETWORKS.values()), metavar="MODEL", help="%(default)s"
    )
    parser.add_argument("--ablations", type=Path, help="folder of cine_ablations.py: measure those models too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    networks = dict(zip(NETWORKS, arguments.weights, strict=True))
    compared = ablated(arguments.ablations) if arguments.ablations else {}
    found: dict[str, Any] = {"matrix": arguments.matrix, "cpu_s": 0.0, "rows": []}
    if arguments.results and arguments.results.exists():
        found = json.loads(arguments.results.read_text(encoding="utf-8"))
    rows = found["rows"]
    found.setdefault("updates", {}).update((name, updates_of(Path(path))) for name, path in compared.items())
    for case in all_cases(arguments.data, arguments.matrix):
        for acceleration in ACCELERATIONS if case.coils == 1 else ACCELERATIONS[:1]:
            key = (case.title, case.group, acceleration)
            shown = arguments.write and acceleration == ACCELERATIONS[0] and case.title in SHOWN
            # a picture needs the movies of all methods
            known = [] if shown else [row for row in rows if _key(row) == key]
            started = time.process_time()
            is_first = acceleration == ACCELERATIONS[0] and case.coils == 1
            trained = networks | (compared if is_first else {})
            new, movies = measure(case, acceleration, trained, {row["method"] for row in known})
            found["cpu_s"] += time.process_time() - started
            rows = [row for row in rows if _key(row) != key] + known + new
            found["rows"] = rows
            print(
                *(f"{r['case']} {acceleration:g} {r['method']} {r['psnr_db']:.2f} {r['weight']}" for r in new), sep="\n"
            )
            if arguments.results:
                arguments.results.write_text(json.dumps(found, indent=1), encoding="utf-8")
            if shown:
                movies = {name: movie for name, movie in movies.items() if name not in compared}
                write_picture(case, movies, acceleration, PICTURES / SHOWN[case.title])
    text = page(found)
    print(text)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
        into_cards(rows, networks)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
