"""Train the networks of the paper's Table 2 (U-Net, channel attention, long skip): same data, same length.

They take about ten minutes of a core each. What is finished is kept, so it may be stopped and started again. Then
``speech.py --ablations FOLDER --write`` measures them and puts them into the page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from speech_parts.ablations import ROWS, STEPS, model_of, settings_of
from training_parts.trained import trained

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "Resources" / "Training" / "miccan-speech.toml"
DATA = ROOT.parent / "shared" / "data" / "speech_usc"


def main() -> int:
    """Train what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the models go")
    parser.add_argument("--data", type=Path, nargs="+", default=[DATA], help="folders of real series (%(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS, help="updates of each (%(default)s)")
    arguments = parser.parse_args()
    for row in ROWS:
        print(row, flush=True)
        output = model_of(arguments.folder, row).parent
        trained("miccan", CONFIG, arguments.data, output, settings_of(row, arguments.steps))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
