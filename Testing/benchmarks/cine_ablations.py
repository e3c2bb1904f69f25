"""Train a small network for each row of the paper's tables that no shipped model stands for: same data, same length.

They take about five minutes of a core each, the two from the zero-filled movie an hour. What is finished is kept, so it
may be stopped and started again. Then ``cine.py --ablations FOLDER --write`` measures them and puts them into the page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cine_parts.ablations import ROWS, SLICES, STEPS, model_of, settings_of
from training_parts.trained import trained

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "Resources" / "Training" / "cnn3d-cine.toml"
DATA = ROOT.parent / "shared" / "data"


def main() -> int:
    """Train what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the models go")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of cine_sax_dicom (%(default)s)")
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="updates of each that does not say its own (%(default)s)"
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help="%(default)s")
    arguments = parser.parse_args()
    slices = [arguments.data / "cine_sax_dicom" / name for name in SLICES]
    for row in arguments.rows:
        print(row, flush=True)
        trained("cnn3d", CONFIG, slices, model_of(arguments.folder, row).parent, settings_of(row, arguments.steps))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
