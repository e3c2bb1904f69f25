"""``train``: train a network on series and phantoms."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.cli_common import settings, value_of
from DynamicMRIReconLib.errors import Cancelled


def add_command(commands: Any) -> None:
    """Add ``train`` to the command line."""
    parser = commands.add_parser("train", help="train a network on image series and phantoms")
    parser.add_argument("network", metavar="NETWORK", help="which network: miccan, ifnet ...")
    parser.add_argument("--config", required=True, metavar="FILE", help="training configuration, .toml or .json")
    parser.add_argument(
        "--data", nargs="+", default=[], metavar="FOLDER", help="folders of image series, in any format that is read"
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="checkpoints, logs and the finished model")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:n or mps (%(default)s)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="replace a setting of the configuration, such as optimiser.learning_rate=0.001",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train."""
    from DynamicMRIReconLib.training import command

    values = {name: value_of(text) for name, text in settings(arguments.settings, "--set").items()}
    folders = [Path(one) for one in arguments.data]
    reason = command.train(
        arguments.network,
        Path(arguments.config),
        folders,
        Path(arguments.out),
        resume=arguments.resume,
        device=arguments.device,
        replaced=values,
    )
    if reason == "stopped":
        raise Cancelled(f"Stopped; {arguments.out} has a checkpoint: add --resume to go on.")
    return 0
