"""A network trained by the command line, once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def trained(network: str, config: Path, data: Iterable[Path], output: Path, settings: Iterable[str]) -> Path:
    """The finished weights in ``output``: kept if they are there, else trained, from where it was stopped.

    ``settings`` are ``name=value``, as for ``--set``. Where training fails, the script ends with its exit code.
    """
    weights = output / "model.safetensors"
    # the card is written last
    if not weights.with_suffix(".json").exists():
        words = [sys.executable, "-m", "DynamicMRIReconLib", "train", network, "--config", str(config)]
        words += ["--device", "cpu", "--data", *map(str, data), "--out", str(output)]
        words += [word for setting in settings for word in ("--set", setting)]
        if (output / "last.safetensors").exists():
            words.append("--resume")
        ended = subprocess.run(words, check=False).returncode
        if ended:
            raise SystemExit(ended)
    return weights


def updates_of(weights: Path) -> int:
    """How long the training was asked to be that left ``weights`` in its folder."""
    steps: int = json.loads((weights.parent / "config.json").read_text(encoding="utf-8"))["steps"]
    return steps
