"""One sharp volume from thick-slice stacks: B-spline, SRR and IREM on simulated stacks with a truth, and on a fetus.

Every run is the command line in a process of its own with one thread. Runs are kept in a folder; started again, the
script goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from volume_sr_parts.cases import cases, fetal_files, registration_error, write_case
from volume_sr_parts.fetal import FETAL_SETTINGS, compare
from volume_sr_parts.pictures import fetal_picture, simulated_picture
from volume_sr_parts.report import page
from volume_sr_parts.runs import Runs, contenders, file_name, words_of

import DynamicMRIReconLib as dmr

DOCS = Path(__file__).resolve().parents[2] / "docs"


def simulated(runs: Runs, data: Path, folder: Path, chosen: list[str]) -> dict[str, list[dict[str, Any]]]:
    """A row of figures for each contender, by case."""
    table: dict[str, list[dict[str, Any]]] = {}
    for case in cases():
        if case.folder not in chosen:
            continue
        place = write_case(case, data, folder)
        truth = dmr.read(place / "truth.nrrd")
        stacks = [str(place / f"stack-{number}.nrrd") for number in (1, 2, 3)]
        rows = []
        for name, method, settings in contenders(case):
            output = place / f"{file_name(name)}.nrrd"
            words = [*stacks, "--method", method, "--grid", str(place / "truth.nrrd")]
            words += [] if case.moved else ["--set", "registration=none"]
            row = runs.get(f"{place.name} {name}", [*words, *words_of(settings)], output)
            result = dmr.read(output)
            figures = dmr.evaluate(result, truth, scaled=False)
            quality = {key: figures[key]["mean"] for key in ("psnr_db", "ssim")}
            rows.append(
                {**row, **quality, "name": name, "path": output, "weight": result.metadata.get("regularization")}
            )
            if case.moved:
                rows[-1]["left"] = registration_error(result, truth)
            print(case.title, name, f"{rows[-1]['psnr_db']:.2f} dB", f"{rows[-1]['ssim']:.4f}", f"{row['cpu_s']:.0f} s")
        table[case.title] = rows
    return table


def fetal(runs: Runs, data: Path, folder: Path) -> list[dict[str, Any]]:
    """A row for each method on the six stacks of a fetus, on the grid of the published volume."""
    stacks, masks, published = fetal_files(data)
    rows = []
    for name, (method, settings) in FETAL_SETTINGS.items():
        output = folder / f"fetal-{file_name(name)}.nrrd"
        words = [*map(str, stacks), "--masks", *map(str, masks), "--method", method, *words_of(settings)]
        row = runs.get(f"fetal {name}", words, output)
        weight = dmr.read(output).metadata.get("regularization")
        rows.append({**row, "name": name, "path": output, "weight": weight, **compare(output, published)})
        print("fetal", rows[-1])
    return rows


def main() -> int:
    """Measure what is missing, print the page, and write it when asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with brain_volume and fetal_stacks")
    names = [case.folder for case in cases()]
    parser.add_argument("--cases", nargs="*", choices=names, default=names, help="simulated ones, by default all")
    parser.add_argument("--no-fetal", action="store_true", help="simulated stacks only")
    parser.add_argument("--write", action="store_true", help="write the page and its pictures")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dynamic-mri-recon-volume-sr")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    runs = Runs(arguments.folder / "runs.json")
    table = simulated(runs, arguments.data, arguments.folder, arguments.cases)
    rows = [] if arguments.no_fetal else fetal(runs, arguments.data, arguments.folder)
    text = page(table, rows)
    print(text)
    if arguments.write:
        (DOCS / "benchmarks-stacks.md").write_text(text, encoding="utf-8")
        simulated_picture(table, DOCS / "pictures" / "stacks-simulated.png")
        if rows:
            fetal_picture(rows, fetal_files(arguments.data), DOCS / "pictures" / "stacks-fetal.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
