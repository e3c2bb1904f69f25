"""Memory of the worker while it reconstructs long speech series: does it grow with the number of frames?

    python Testing/benchmarks/long_series.py [--cases WORD ...] [--frames N ...] [--folder FOLDER] [--write]

Rows are kept in the folder, which also takes inputs and results of some GB; started again, the script measures those
that are missing. ``--write`` puts table and picture into docs/. Linux only: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from fuzz_parts.page import put_part
from long_series_parts.cases import CASES, LONGEST
from long_series_parts.report import PICTURE, part, write_picture

Rows = dict[str, dict[str, Any]]


def main() -> int:
    """Measure, print, and write page and picture when asked to; 1 when a run failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="*", default=[""], metavar="WORD", help="those whose names hold a word")
    parser.add_argument("--frames", nargs="*", type=int, metavar="N", help="only series of so many frames")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/dynamic-mri-recon-long-series"))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows_folder = arguments.folder / "rows"
    rows_folder.mkdir(parents=True, exist_ok=True)
    for name, case in CASES.items():
        for frames in case.lengths:
            kept = rows_folder / f"{case.method}{case.suffix}-{frames}.json"
            wanted = any(word in name for word in arguments.cases) and frames in (arguments.frames or case.lengths)
            if wanted and not kept.exists():
                kept.write_text(json.dumps(_measured(name, frames, arguments.folder)), encoding="utf-8")
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in rows_folder.iterdir()]
    if arguments.write:
        write_picture(rows)
        put_part(part(rows))
        print(f"docs/reliability.md and {PICTURE.name} are written.")
    return int(any(row["code"] for row in rows))


def _measured(name: str, frames: int, folder: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        watched = CASES[name].run(frames, Path(work))
    row = {"case": name, "frames": frames, "code": watched.code, "seconds": watched.seconds}
    row |= {"own_mib": watched.own_mib, "peak_mib": watched.peak_mib}
    print(row, watched.stderr[-2000:] if watched.code else "", flush=True)
    return {**row, "samples": watched.thinned() if frames == LONGEST else []}


if __name__ == "__main__":
    sys.exit(main())
