"""What becomes of a run when something happens to it: signals, no memory, full disks, lost inputs, clocks.

    python Testing/benchmarks/faults.py [--cases NAME ...] [--folder FOLDER] [--write]

The worker is the one of every reconstruction, forked from this process so that nothing is loaded twice. Rows are kept
in the folder; started again, the script measures those that are missing or do not hold. ``--write`` puts the table into
docs/reliability.md; full disks and read-only folders need the right to mount (root).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from faults_parts.cases import ON_RUNS, Ended, works_again
from faults_parts.panel import PANEL
from faults_parts.resuming import RESUMING
from faults_parts.workplace import Workplace
from fuzz_parts import warm
from fuzz_parts.page import put_part

_PART = """## Faults

Written by `python Testing/benchmarks/faults.py --write`. A reconstruction (`cg-sense`) as `recon --job` runs it, and
what happens to it. After each: no file under a final name that is not whole, the inputs untouched, no process and no
temporary file left, a last event that says what happened, and the next run of the same job works. What a run of a
minute or more keeps of its state stays in its job folder until the job is done.

| fault | exit code | what is told | all of this holds |
|---|---|---|---|
{rows}

Where a run goes on, its state was kept several times a second; usually that is once a minute. The rows of the panel are
measured on the test host (`Testing/slicer`): real MRML and a real worker, but not Slicer itself.
"""
CASES = {**ON_RUNS, **RESUMING, **PANEL}


def measured(name: str) -> Ended:
    """One case in a folder of its own, and the run after it."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        place = Workplace(Path(folder).resolve())
        ended = CASES[name](place)
        if not ended.skipped and name in ON_RUNS and "disk at" not in name and "read-only" not in name:
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
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dynamic-mri-recon-faults")
    arguments = parser.parse_args()
    warm.one_thread()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kept = arguments.folder / "rows.json"
    rows: dict[str, str] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    missing = [name for name in arguments.cases if not rows.get(name, "").endswith("| yes |")]
    if missing:
        warm.up()
        warm.check_single_thread()
    for name in missing:
        rows[name] = row(name, measured(name))
        print(rows[name], flush=True)
        kept.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if arguments.write:
        put_part(_PART.format(rows="\n".join(rows[name] for name in CASES if name in rows)))
    return int(any("| NO: " in line for line in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
