"""Workers that are killed at a known moment: ``python killed_workers.py FOLDER WHERE TIMES [...]``.

Each job runs in a process of its own, forked from this one so that torch is loaded once, and gets SIGKILL right after
it has kept ``TIMES`` times how far it is ``WHERE`` (``iteration 3 of 6``).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from DynamicMRIReconLib.jobs import saved_state
from DynamicMRIReconLib.jobs.worker import run_job


def run_and_die(folder: Path, where: str, times: int) -> None:
    """Run the job in this process, which does not come back."""
    write, left = saved_state.SavedState._write_one, iter(range(times - 1, -1, -1))

    def write_and_die(self: saved_state.SavedState, key: str, at: str, arrays: dict[str, Any]) -> None:
        write(self, key, at, arrays)
        if where in saved_state._in_words(at) and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    saved_state.SavedState._write_one = write_and_die  # type: ignore[method-assign]
    os._exit(100 + run_job(folder))


def main(words: list[str]) -> int:
    """0 when all of them were killed."""
    os.environ[saved_state.KEEP_EVERY_VARIABLE] = "0"
    torch.set_num_threads(1)
    alive = []
    for folder, where, times in zip(words[::3], words[1::3], words[2::3], strict=True):
        child = os.fork()
        if child == 0:
            run_and_die(Path(folder), where, int(times))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != -signal.SIGKILL:
            alive.append(f"{folder} ended with {code}")
    sys.stderr.write("\n".join(alive))
    return int(bool(alive))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
