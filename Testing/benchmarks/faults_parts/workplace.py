"""A job, its worker as a process forked from this one, and everything that is looked at after its end."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from DynamicMRIReconLib import io
from DynamicMRIReconLib.cli import main
from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.jobs.events import final_event, read_events
from DynamicMRIReconLib.jobs.local import explain_exit

#: what a run that did not end well may leave in its folder
STAYS = {"job.json", "events.jsonl", "log.txt"}
MADE = {"preview.npy", "result.seq.nrrd", "provenance.json"}
WAIT_S = 300.0


class Workplace:
    """A folder with an input, a job folder, a folder for the output and one for temporary files."""

    def __init__(self, base: Path) -> None:
        self.base, self.input = base, base / "input" / "scan.npz"
        self.job, self.out, self.temporary = base / "job", base / "out", base / "tmp"
        for folder in (self.input.parent, self.job, self.out, self.temporary):
            folder.mkdir(parents=True)
        random = np.random.default_rng(0)
        samples = (random.standard_normal((20, 4, 1, 64, 64)) + 1j).astype(np.complex64)
        maps = (random.standard_normal((4, 1, 64, 64)) + 1j).astype(np.complex64)
        io.write(self.input, KSpace(samples, np.eye(4), np.arange(20.0), coil_maps=maps))
        self.digest = digest(self.input)

    @property
    def output(self) -> Path:
        """The further file that the job writes."""
        return self.out / "out.npz"

    def set_job(self, *, long: bool, iterations: int = 2) -> None:
        """Write the job file: minutes of iterations, or a moment, or so many of each frame."""
        parameters = {"iterations": 1000 if long else iterations, "tolerance": 0.0, "frames_at_once": 1}
        entries = {"method": "cg-sense", "inputs": [str(self.input)], "device": "cpu", "parameters": parameters}
        text = json.dumps({**entries, "output": str(self.output)})
        (self.job / "job.json").write_text(text, encoding="utf-8")

    def events(self) -> list[dict[str, Any]]:
        """What the worker has told so far."""
        return read_events(self.job / "events.jsonl")


class Worker:
    """``recon --job FOLDER --events`` in a process of its own, or other ``words``; ``before`` is done there first."""

    def __init__(
        self, place: Workplace, before: Callable[[], None] = lambda: None, words: Sequence[object] = ()
    ) -> None:
        self._place = place
        self._words = [str(word) for word in words] or ["recon", "--job", str(place.job), "--events"]
        self._output = place.base / f"output-{time.monotonic_ns()}"
        self._output.mkdir()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._work(before)
        self.returncode: int | None = None

    def _work(self, before: Callable[[], None]) -> None:
        code = 70
        try:
            os.setsid()
            tempfile.tempdir = str(self._place.temporary)
            for number, name in ((1, "stdout"), (2, "stderr")):
                descriptor = os.open(self._output / name, os.O_WRONLY | os.O_CREAT, 0o600)
                os.dup2(descriptor, number)
            before()
            code = main(self._words)
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
            os._exit(code)

    def wait_for(self, fraction: float) -> None:
        """Until that much is done, or the worker has ended."""
        ends = time.monotonic() + WAIT_S
        while time.monotonic() < ends and self.poll() is None:
            if any(float(event.get("fraction", 0)) >= fraction for event in self._place.events()):
                return
            time.sleep(0.05)

    def poll(self) -> int | None:
        """How it ended, as ``subprocess`` has it; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int | None:
        """Wait for its end; None when it had to be killed."""
        ends = time.monotonic() + WAIT_S
        while self.poll() is None and time.monotonic() < ends:
            time.sleep(0.02)
        if self.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        return self.returncode

    def end(self) -> int | None:
        """Wait for its end, and explain it where it could not itself, as whoever watches a worker does."""
        code = self.wait()
        if code is not None:
            explain_exit(self._place.job, code, self.stderr)
        return code

    @property
    def stderr(self) -> str:
        """What it said on standard error."""
        path = self._output / "stderr"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def told(self) -> list[dict[str, Any]]:
        """The events on its standard output."""
        return read_events(self._output / "stdout")

    def group_left(self) -> bool:
        """Whether a process that it started still lives; one that has ended and waits for init to notice does not."""
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                if os.getpgid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE:
                    return True
        return False


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def faults_after(
    place: Workplace, worker: Worker, *, done: bool = False, input_gone: bool = False, kept: bool = False
) -> list[str]:
    """What is not as it must be after the worker's end; ``done``: the run shall have succeeded in spite of all.

    ``kept``: the state of the run may be there.
    """
    wrong = []
    allowed = STAYS | (MADE if done else set()) | ({"state"} if kept else set())
    left = {path.name for path in place.job.iterdir()} - allowed
    if left:
        wrong.append(f"left in the job folder: {', '.join(sorted(left))}")
    outputs = {path.name for path in place.out.iterdir()}
    if outputs != ({place.output.name} if done else set()):
        wrong.append(f"in the output folder: {', '.join(sorted(outputs)) or 'nothing'}")
    if any(place.temporary.iterdir()):
        wrong.append("temporary files are left")
    if not input_gone and digest(place.input) != place.digest:
        wrong.append("the input changed")
    if worker.group_left():
        wrong.append("a process is left")
    events = place.events() if (place.job / "events.jsonl").exists() else worker.told()
    if final_event(events) is None and final_event(worker.told()) is None:
        wrong.append("no event says how it ended")
    for path in (place.job / "result.seq.nrrd", place.output) if done else ():
        try:
            io.read(path)
        except InputError as error:
            wrong.append(f"no whole result: {error}")
    return wrong
