"""Broken files by the thousand, given to the command line in limited memory and time.

    python Testing/benchmarks/fuzz.py [--files N] [--seed N] [--formats NAME ...] [--folder FOLDER] [--write]

Each file is read by ``info``, every tenth one reconstructed too. Counts are kept in the folder, with the files that
failed; started again, the script goes on where it was stopped, and several seeds add up. ``--write`` puts the table
into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fuzz_parts import judge, report, warm
from fuzz_parts.all_formats import formats
from fuzz_parts.case import Format, cases_of
from fuzz_parts.results import Results
from fuzz_parts.runner import Runner

#: what the table of the documentation is made of
FULL = 10_400


def shares(chosen: list[Format], files: int) -> dict[str, int]:
    """How many of ``files`` each format gets."""
    whole = sum(one.weight for one in chosen)
    return {one.name: max(2, round(files * one.weight / whole)) for one in chosen}


def run(files: int, run_seed: int, names: list[str], results: Results) -> None:
    """Break, run and count what ``results`` do not have yet."""
    chosen = [one for one in formats() if not names or one.name in names]
    count = shares(chosen, files)
    missing = [one for one in chosen if not results.has(one.name, run_seed, count[one.name])]
    if not missing:
        return
    warm.up()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        runner = Runner(run_seed, Path(folder).resolve(), results.keep)
        goods = {one.name: runner.good(one) for one in missing}
        warm.check_single_thread()
        for one in missing:
            started = time.monotonic()
            outcome = runner.run(one, goods[one.name], cases_of(one, count[one.name], run_seed))
            results.add(one.name, run_seed, outcome)
            told = ", ".join(f"{name} {outcome.counts[name]}" for name in judge.COLUMNS if outcome.counts[name])
            print(f"{one.name}: {told} ({time.monotonic() - started:.0f} s)", flush=True)
            for finding in outcome.findings:
                print(f"  {report.line_of(finding, run_seed)}", flush=True)


def main() -> int:
    """Run, print, and write the table when asked to; 1 when a file did what none should."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=1000, help=f"in all; the documentation has {FULL}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="*", default=[])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dynamic-mri-recon-fuzz")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    warm.one_thread()
    results = Results(arguments.folder)
    run(arguments.files, arguments.seed, arguments.formats, results)
    lines = report.table(results, [one.name for one in formats()])
    print("\n".join(lines))
    if arguments.write:
        report.write(results, [one.name for one in formats()])
    return int(results.bad() > 0)


if __name__ == "__main__":
    sys.exit(main())
