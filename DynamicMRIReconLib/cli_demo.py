"""``demo``: the whole path on real images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_command(commands: Any) -> None:
    """Add ``demo`` to the command line."""
    parser = commands.add_parser("demo", help="reconstruct a simulated acquisition of a real cine and measure it")
    parser.add_argument("--output", metavar="FOLDER", default="demo-output", help="made if missing (%(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    from DynamicMRIReconLib.demo import run_demo

    run_demo(Path(arguments.output), say=print)
    return 0
