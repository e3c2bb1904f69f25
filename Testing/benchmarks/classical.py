"""The classical methods beside BART and sigpy on the same simulated scans: image quality, time and memory.

Every run is a process of its own with one thread. Runs are kept in a file; started again, the script goes on where it
was stopped. ``bart`` must be on the PATH (Debian: bart).
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classical_parts.contenders import CONTENDERS, Contender
from classical_parts.measure import measure
from classical_parts.repeats import repeat
from classical_parts.report import page
from classical_parts.results import Results
from classical_parts.rows import summary
from classical_parts.search import next_factor
from classical_parts.settings import SETTINGS, Setting, scan_files

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
#: the settings whose search is finished before others begin
FIRST = 4
TOOLS = ["ours", "bart", "sigpy"]
#: smoothness and the weight of a low-rank part are tuned on their own by these, with the two best factors on all
OWN = (3.0, 3.0**0.5, 3.0**-0.5, 1 / 3, 1 / 6)
#: of the mean over time, tried besides the usual one
MEAN = 0.8

Run = tuple[Setting, Contender, dict[str, Any]]


def wanted(chosen: list[Setting], tools: list[str], results: Results) -> Iterator[Run]:
    """Runs still to be made, the most telling first: all defaults, then grids, refinements, and longer BART runs."""
    contenders = [contender for contender in CONTENDERS.values() if contender.tool in tools]
    for group in (chosen[:FIRST], chosen[FIRST:]):
        for setting in group:
            for contender in contenders:
                if contender.tuned or contender.tool != "bart":
                    yield setting, contender, contender.parameters(1.0)
        for refine in (False, True):
            for setting in group:
                # tv has no rival and is slow: its turn comes last
                yield from _grid(setting, [c for c in contenders if refine or c.method != "tv"], results, refine)
        for setting in group:
            for contender in contenders:
                found = results.tuned(setting.name, contender)
                if contender.tuned and contender.rival and found:
                    best = sorted(found, key=lambda f: -float(found[f]["psnr_db"]))[:2]
                    for factor, own in itertools.product(best, OWN):
                        yield setting, contender, contender.parameters(factor, smoother=own)
                        yield setting, contender, contender.parameters(factor, lower=own)
                        yield setting, contender, contender.parameters(factor, smoother=own, mean=MEAN)
        for setting in group:
            for contender in contenders:
                base = CONTENDERS.get(f"BART pics -R {contender.method}")
                best = results.best(setting.name, base) if base and contender.tool == "bart" else None
                if best is not None and not contender.tuned:
                    yield setting, contender, {**contender.options, "lambda": best["parameters"]["lambda"]}


def _grid(setting: Setting, contenders: list[Contender], results: Results, refine: bool) -> Iterator[Run]:
    """One more weight for each contender in turn, until none wants more."""
    asked = True
    while asked:
        asked = False
        for contender in contenders:
            if not contender.tuned:
                continue
            found = {f: float(row["psnr_db"]) for f, row in results.tuned(setting.name, contender).items()}
            factor = next_factor(found, refine=refine)
            if factor is None or results.get(setting.name, contender, contender.parameters(factor)) is not None:
                continue
            asked = True
            yield setting, contender, contender.parameters(factor)


def main() -> int:
    """Measure what is missing, print the table, and write the page when asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS), help="which scans")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=TOOLS, help="whose runs")
    parser.add_argument("--quick", action="store_true", help="small scans: shows that it runs, says little")
    parser.add_argument("--no-runs", action="store_true", help="only show what has been measured")
    parser.add_argument("--repeats", type=int, default=0, help="run races that are close so often more; odd")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dynamic-mri-recon-benchmark")
    arguments = parser.parse_args()
    if shutil.which("bart") is None and not arguments.no_runs:
        parser.error("bart is not on the PATH: install it (Debian: bart).")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    results = Results(arguments.folder / ("results-quick.json" if arguments.quick else "results.json"))
    chosen = [SETTINGS[name] for name in SETTINGS if name in arguments.settings]
    for setting, contender, parameters in [] if arguments.no_runs else wanted(chosen, arguments.tools, results):
        if results.get(setting.name, contender, parameters) is not None:
            continue
        place = scan_files(setting, arguments.folder, arguments.quick)
        row = measure(contender, place, parameters, setting.cartesian)
        results.put(setting.name, contender, parameters, row)
        print(setting.name, contender.name, parameters, summary(row), flush=True)
    for setting in chosen if arguments.repeats else []:
        repeat(setting, results, scan_files(setting, arguments.folder, arguments.quick), arguments.repeats, measure)
    text = page(chosen, results)
    print(text)
    if arguments.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
