"""What becomes of a run when something happens to it: signals, no memory, full disks, lost inputs, clocks.

    python Testing/benchmarks/faults.py [--cases NAME ...] [--write]

The worker is the one of every reconstruction, forked from this process so that nothing is loaded twice. ``--write``
puts the table into docs/reliability.md; full disks and read-only folders need the right to mount (root).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from faults_parts.cases import CASES, Ended, works_again
from faults_parts.workplace import Workplace
from fuzz_parts import warm
from fuzz_parts.page import put_part

_PART = """## Faults

Written by `python Testing/benchmarks/faults.py --write`. A reconstruction (`cg-sense`) as `recon --job` runs it, and
what happens to it. After each: no file under a final name that is not whole, the inputs untouched, no process and no
temporary file left, a last event that says what happened, and the next run of the same job works.

| fault | exit code | what is told | all of this holds |
|---|---|---|---|
{rows}

A panel or a scene that is closed while a run goes on ends its worker by the cancel file, SIGTERM and SIGKILL in turn
(`Testing/slicer`). Training goes on from its last checkpoint, bit for bit (`Testing/unit/training`).
"""


def measured(name: str) -> Ended:
    """One case in a folder of its own, and the run after it."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        place = Workplace(Path(folder).resolve())
        ended = CASES[name](place)
        if not ended.skipped and "disk at" not in name and "read-only" not in name:
            ended.wrong += works_again(place)
        return ended


def row(name: str, ended: Ended) -> str:
    """Of the table."""
    if ended.skipped:
        return f"| {name} | | | not tried: {ended.skipped} |"
    holds = f"NO: {'; '.join(ended.wrong)}" if ended.wrong else "yes"
    return f"| {name} | {'none' if ended.code is None else ended.code} | {ended.message} | {holds} |"


def main() -> int:
    """Measure, print, and write the table when asked to; 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    warm.one_thread()
    warm.up()
    warm.check_single_thread()
    rows, wrong = [], 0
    for name in arguments.cases:
        ended = measured(name)
        rows.append(row(name, ended))
        wrong += len(ended.wrong)
        print(rows[-1], flush=True)
    if arguments.write:
        put_part(_PART.format(rows="\n".join(rows)))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
