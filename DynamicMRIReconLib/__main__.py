"""``python -m DynamicMRIReconLib`` is the command line ``dynamic-mri-recon``; workers are started this way."""

import logging
import os
import sys

from DynamicMRIReconLib.cli import main

# Before torch and finufft load, each with an OpenMP pool of its own: see jobs.local.worker_environment.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def leave(code: int) -> None:
    """End the process. With torch loaded, without tearing the interpreter down.

    That takes seconds, in which a cancelled worker still holds its memory, and compiled extensions abort in it now and
    then; everything is written and closed by now.
    """
    if "torch" not in sys.modules:
        sys.exit(code)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


if __name__ == "__main__":
    leave(main())
