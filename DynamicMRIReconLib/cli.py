"""The command line ``dynamic-mri-recon``: its commands, and what becomes of errors.

Exit codes: 0 done; 2 the request or the input is at fault; 1 an unexpected failure; 3 cancelled; 4 some rows of a
batch failed. An error is one line on standard error. Each command lives in a ``cli_*`` module; none imports torch
before it computes.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import DynamicMRIReconLib
from DynamicMRIReconLib import (
    cli_batch,
    cli_demo,
    cli_evaluate,
    cli_export,
    cli_info,
    cli_methods,
    cli_profile,
    cli_recon,
    cli_simulate,
    cli_train,
)
from DynamicMRIReconLib.cli_common import PROGRAM, Parser, one_line
from DynamicMRIReconLib.cli_failure import keep_traceback
from DynamicMRIReconLib.errors import Cancelled, ReconError

COMMANDS = (
    *(cli_methods, cli_info, cli_recon, cli_batch, cli_evaluate),
    *(cli_profile, cli_export, cli_simulate, cli_train, cli_demo),
)


def build_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(
        prog=PROGRAM,
        description="Dynamic MRI reconstruction, from k-space to a movie that can be measured. Not for diagnostic use.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {DynamicMRIReconLib.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for module in COMMANDS:
        module.add_command(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code (``--help`` and ``--version`` leave through ``SystemExit``)."""
    # Without a handler the libraries' warnings would mix with the one line an error is allowed.
    quiet = logging.NullHandler()
    logging.getLogger().addHandler(quiet)
    logging.captureWarnings(True)
    try:
        arguments = build_parser().parse_args(argv)
        return int(arguments.run(arguments))
    except ReconError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain("Cancelled.")
        return Cancelled.exit_code
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        _complain(keep_traceback(error))
        return 1
    finally:
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(quiet)


def _complain(message: str) -> None:
    print(f"{PROGRAM}: {one_line(message)}", file=sys.stderr, flush=True)
