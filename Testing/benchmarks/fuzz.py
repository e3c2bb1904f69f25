"""Broken files by the thousand, given to the command line in limited memory and time.

    python Testing/benchmarks/fuzz.py [--files N] [--seed N] [--formats NAME ...] [--keep FOLDER] [--write]

Each file is read by ``info``, every fifth one reconstructed too. ``--write`` puts the table into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

# before anything that starts threads: a process with threads must not be forked
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

from fuzz_parts import judge, report, warm
from fuzz_parts.all_formats import formats
from fuzz_parts.case import cases_of
from fuzz_parts.runner import Outcome, Runner

FULL = 10_500


def run(files: int, run_seed: int, names: list[str], keep: Path | None, say: bool = True) -> dict[str, Outcome]:
    """Outcomes by format of ``files`` broken files in all, shared evenly."""
    warm.up()
    chosen = [one for one in formats() if not names or one.name in names]
    found: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        runner = Runner(run_seed, Path(folder).resolve(), keep)
        goods = {one.name: runner.good(one) for one in chosen}
        warm.check_single_thread()
        for index, one in enumerate(chosen):
            share = files * (index + 1) // len(chosen) - files * index // len(chosen)
            started = time.monotonic()
            outcome = runner.run(one, goods[one.name], cases_of(one, share, run_seed))
            found[one.name] = outcome
            if say:
                counts = ", ".join(f"{name} {outcome.counts[name]}" for name in judge.COLUMNS if outcome.counts[name])
                print(f"{one.name}: {counts} ({time.monotonic() - started:.0f} s)", flush=True)
                for finding in outcome.findings:
                    print(f"  {report.line_of(finding, run_seed)}", flush=True)
    return found


def main() -> int:
    """Run, print, and write the table when asked to; 1 when a file did what none should."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=1000, help=f"in all (docs: {FULL})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="*", default=[])
    parser.add_argument("--keep", type=Path, help="folder for the files that fail")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    found = run(arguments.files, arguments.seed, arguments.formats, arguments.keep)
    print("\n".join(report.table(found)))
    if arguments.write:
        report.write(found, arguments.seed)
    return int(any(outcome.findings for outcome in found.values()))


if __name__ == "__main__":
    sys.exit(main())
