"""Train the networks of the paper's Table 2 (U-Net, channel attention, long skip): same data, same length.

They take about ten minutes of a core each. What is finished is kept, so it may be stopped and started again. Then
``speech.py --ablations FOLDER --write`` measures them and puts them into the page.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from speech_parts.ablations import ROWS, STEPS, model_of, settings_of

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
        model = model_of(arguments.folder, row)
        if model.exists():
            continue
        command = [sys.executable, "-m", "DynamicMRIReconLib", "train", "miccan", "--config", str(CONFIG)]
        command += ["--data", *map(str, arguments.data), "--out", str(model.parent)]
        for setting in settings_of(row, arguments.steps):
            command += ["--set", setting]
        print(row, flush=True)
        subprocess.run(command, check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
