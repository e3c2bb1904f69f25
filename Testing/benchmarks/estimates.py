"""How near the estimates of memory and time come to what runs then need: every method, several sizes.

    python Testing/benchmarks/estimates.py [--cases WORD ...] [--again] [--folder FOLDER] [--write]

Each case is a job of the real worker. What was measured is kept in the folder, and the estimates are those of the code
as it is; a case out of the band is measured once more. ``--again`` measures anew what is kept. ``--write`` puts the
table into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from estimates_parts.cases import Case, cases
from estimates_parts.estimated import estimated
from estimates_parts.measure import Measured, measured
from fuzz_parts.page import put_part

#: how far an estimate may be from what is measured, either way
BAND = 1.5
#: shorter runs count as this long: what the operating system adds is not the method's
SHORTEST_S = 1.0
_MIB = 2**20

_PART = """## Memory and time estimates

Written by `python Testing/benchmarks/estimates.py --write` ({system}). What the panel shows and the
worker checks before a run, beside what the run then took: {count} jobs of the real worker, device `cpu`, simulated
data (f frames, n voxels a side, c coils, s shots, z slices; stacks of slices k voxels thick). Memory is the peak of the
whole worker process, program and result included. Time is processor time of the method with one thread, without
starting the program, reading and writing: the computer is shared, so that wall time would say little; times below
{shortest:g} s count as {shortest:g} s. Where several cores work, a run takes less wall time than its estimate.

Estimates heed the speed of a core where it differs from the reference core's by more than it does from moment to moment
on one computer (here {slowest:.2f} to {fastest:.2f} of it). The computer was busy with other work, which changes
processor time by a third either way. Cases marked * have sizes that no constant was fitted to. What was out of the band
was measured once more; then that figure counts.

Estimated over measured: memory {memory}, time {time}. Within a factor of {band:g} either way: memory {memory_in} of
{count}, time {time_in} of {count}. On GPUs the time is the processor's divided by {gpu:g} and the memory the same; this
is **not measured**: there was no GPU.

| method | data | preset | memory [MiB]: estimated | measured | ratio | time [s]: estimated | measured | ratio |
|---|---|---|---:|---:|---:|---:|---:|---:|
{rows}
"""


class Row:
    """A case, what it was estimated to need, and what it needed."""

    def __init__(self, case: Case, found: Measured, folder: Path) -> None:
        self.case, self.found, self.said = case, found, estimated(case, found, folder)

    @property
    def ratios(self) -> tuple[float, float]:
        """Estimated over measured, of memory and of time."""
        time = max(SHORTEST_S, self.said.seconds) / max(SHORTEST_S, self.found.seconds)
        return self.said.memory_bytes / self.found.bytes, time

    @property
    def inside(self) -> tuple[bool, bool]:
        """Whether memory and time are within the band."""
        memory, time = (1 / BAND <= ratio <= BAND for ratio in self.ratios)
        return memory, time

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self.case.parameters.items())
        cells = [
            self.case.method + (" *" if self.case.check else ""),
            self.case.data,
            self.case.preset + (f", {settings}" if settings else ""),
            f"{self.said.memory_bytes / _MIB:.0f}",
            f"{self.found.bytes / _MIB:.0f}",
            f"{self.ratios[0]:.2f}",
            f"{self.said.seconds:.1f}",
            f"{self.found.seconds:.1f}",
            f"{self.ratios[1]:.2f}",
        ]
        return f"| {' | '.join(cells)} |"


def page(rows: list[Row]) -> str:
    """The part of the page."""
    from DynamicMRIReconLib.methods.common.estimates import CUDA_SPEED

    memory, time = ([row.ratios[which] for row in rows] for which in (0, 1))
    speeds = [one for row in rows for one in (row.found.transform_speed, row.found.network_speed)]
    return _PART.format(
        system=f"Python {platform.python_version()}, {platform.system()}",
        count=len(rows),
        shortest=SHORTEST_S,
        slowest=min(speeds),
        fastest=max(speeds),
        memory=f"{min(memory):.2f} to {max(memory):.2f}",
        time=f"{min(time):.2f} to {max(time):.2f}",
        memory_in=sum(row.inside[0] for row in rows),
        time_in=sum(row.inside[1] for row in rows),
        band=BAND,
        gpu=CUDA_SPEED,
        rows="\n".join(str(row) for row in sorted(rows, key=lambda row: row.case.method)),
    )


def main() -> int:
    """Measure, print, and write the table when asked to; 1 when something is out of the band."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="*", default=[""], help="only those with one of these words in their name")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dynamic-mri-recon-estimates")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kept = arguments.folder / "measured.json"
    found: dict[str, dict[str, float]] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    rows = []
    for case in cases():
        chosen = any(word in case.name for word in arguments.cases)
        if not chosen and case.name not in found:
            continue
        anew = chosen and (arguments.again or case.name not in found)
        for _ in range(2):
            if anew:
                found[case.name] = asdict(measured(case, arguments.folder))
                kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
            row = Row(case, Measured(**found[case.name]), arguments.folder)
            if not anew or all(row.inside):
                break
        rows.append(row)
        print(row, flush=True)
    if arguments.write:
        put_part(page(rows))
    return int(not all(all(row.inside) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
