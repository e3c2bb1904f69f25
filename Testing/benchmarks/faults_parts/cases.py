"""What can happen to a run. Each case gives how it ended, what was told, and what was not as it must be."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faults_parts.workplace import Worker, Workplace, faults_after

from DynamicMRIReconLib.jobs.events import final_event

#: where the reconstruction itself is under way
ITERATING = 0.11
#: glibc's number of the size from which memory comes from the system
_MMAP_THRESHOLD = -3


@dataclass
class Ended:
    """How a run ended.

    ``wrong`` lists what was not as it must be; ``skipped`` says why it could not be tried here.
    """

    code: int | None = None
    message: str = ""
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""


def _ended(place: Workplace, worker: Worker, expected: str, *, done: bool = False, input_gone: bool = False) -> Ended:
    code = worker.end()
    wrong = faults_after(place, worker, done=done, input_gone=input_gone)
    last = final_event(place.events()) or final_event(worker.told()) or {}
    word = f"{last.get('event')} {last.get('kind', '')}".strip()
    if word != expected:
        wrong.append(f"it was told as {word!r} instead of {expected!r}")
    message = str(last.get("message", "the result is whole")).replace(str(place.base), "...")
    return Ended(code, f"{word}: {message}", wrong)


def _signalled(number: int, expected: str) -> Callable[[Workplace], Ended]:
    def case(place: Workplace) -> Ended:
        place.set_job(long=True)
        worker = Worker(place)
        worker.wait_for(ITERATING)
        os.kill(worker.pid, number)
        return _ended(place, worker, expected)

    return case


def _cancel_file(place: Workplace) -> Ended:
    place.set_job(long=True)
    worker = Worker(place)
    worker.wait_for(ITERATING)
    (place.job / "cancel").touch()
    return _ended(place, worker, "cancelled")


def _no_memory(place: Workplace) -> Ended:
    def limit() -> None:
        # what this process has freed would serve else: every array shall ask the system
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 16)
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + (4 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    place.set_job(long=False)
    return _ended(place, Worker(place, limit), "error resource")


def _quota(place: Workplace) -> Ended:
    """No file may become larger than 100 kB: what a full disk is to a program, wherever mounting is forbidden."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    place.set_job(long=False)
    return _ended(place, Worker(place, limit), "error resource")


def _mounted(folder: Path, options: str) -> str:
    """Mount a small file system over ``folder``; why not, if not."""
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"mounting is not possible here: {done.stderr.strip()[:80]}"


def _unmounted(folder: Path) -> None:
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def _full_disk(which: str) -> Callable[[Workplace], Ended]:
    def case(place: Workplace) -> Ended:
        folder = place.out if which == "output" else place.job
        why = _mounted(folder, "size=128k")
        if why:
            return Ended(skipped=why)
        try:
            place.set_job(long=False)
            ended = _ended(place, Worker(place), "error resource")
            ended.wrong += _next_run(place, folder)
        finally:
            _unmounted(folder)
        return ended

    return case


def _next_run(place: Workplace, folder: Path) -> list[str]:
    """Once there is room."""
    subprocess.run(["mount", "-o", "remount,rw,size=64m", str(folder)], capture_output=True, check=True)
    return works_again(place)


def _read_only(which: str) -> Callable[[Workplace], Ended]:
    def case(place: Workplace) -> Ended:
        folder = place.out if which == "output" else place.job
        why = _mounted(folder, "size=64m")
        if why:
            return Ended(skipped=why)
        try:
            place.set_job(long=False)
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], capture_output=True, check=True)
            worker = Worker(place)
            ended = _ended(place, worker, "error input")
            ended.wrong += _next_run(place, folder)
        finally:
            _unmounted(folder)
        return ended

    return case


def _after_hashing(work: Callable[[Path], None]) -> Callable[[Workplace], Ended]:
    """Something happens to the input between its check and its reading."""

    def case(place: Workplace) -> Ended:
        kept = place.base / "kept.npz"
        shutil.copyfile(place.input, kept)

        def patch() -> None:
            from DynamicMRIReconLib.jobs import steps

            hashed = steps.Run._hashed

            def then(self: steps.Run, job: steps.Job) -> steps.Job:
                found = hashed(self, job)
                work(place.input)
                return found

            steps.Run._hashed = then  # type: ignore[method-assign]

        place.set_job(long=False)
        ended = _ended(place, Worker(place, patch), "error input", input_gone=True)
        shutil.copyfile(kept, place.input)
        kept.unlink()
        return ended

    return case


def _input_gone_later(place: Workplace) -> Ended:
    place.set_job(long=True)
    worker = Worker(place)
    worker.wait_for(ITERATING)
    moved = place.base / "moved.npz"
    place.input.rename(moved)
    time.sleep(0.5)
    running = worker.poll() is None
    (place.job / "cancel").touch()
    ended = _ended(place, worker, "cancelled", input_gone=True)
    moved.rename(place.input)
    if not running:
        ended.wrong.append("it stopped although the input had been read")
    ended.message = "goes on, since all of it had been read; " + ended.message
    return ended


def _gpu(text: str) -> Callable[[Workplace], Ended]:
    def case(place: Workplace) -> Ended:
        def patch() -> None:
            import torch

            def fails(*_: object, **__: object) -> None:
                kind = torch.OutOfMemoryError if "out of memory" in text else RuntimeError
                raise kind(text)

            torch.fft.fftn = torch.fft.fft2 = torch.fft.ifft2 = torch.fft.ifftn = fails

        place.set_job(long=False)
        return _ended(place, Worker(place, patch), "error resource")

    return case


def _second_job(place: Workplace) -> Ended:
    place.set_job(long=True)
    first = Worker(place)
    first.wait_for(ITERATING)
    before = (place.job / "job.json").read_bytes()
    second = Worker(place)
    code = second.end()
    told = final_event(second.told()) or {}
    wrong = []
    if (code, told.get("kind")) != (2, "input") or "another process" not in str(told.get("message")):
        wrong.append(f"the second one ended with {code}: {told}")
    if first.poll() is not None or (place.job / "job.json").read_bytes() != before:
        wrong.append("the first one was disturbed")
    os.kill(first.pid, signal.SIGTERM)
    ended = _ended(place, first, "cancelled")
    message = f"the second: error input: {told.get('message')}; the first goes on"
    return Ended(code, message.replace(str(place.base), "..."), wrong + ended.wrong)


def _clock_back(place: Workplace) -> Ended:
    def patch() -> None:
        calls, right = iter(range(10**9)), time.time
        # the clock is set back an hour, and again and again
        time.time = lambda: right() - 3600.0 * next(calls)

    place.set_job(long=False)
    worker = Worker(place, patch)
    ended = _ended(place, worker, "done", done=True)
    progress = [event for event in place.events() if event["event"] == "progress"]
    elapsed = [event["elapsed_s"] for event in progress]
    fractions = [event["fraction"] for event in progress]
    if elapsed != sorted(elapsed) or fractions != sorted(fractions) or min(elapsed) < 0:
        ended.wrong.append("time or progress runs backwards")
    if any((event.get("remaining_s") or 0) < 0 for event in progress):
        ended.wrong.append("negative time left")
    return ended


def _listener_gone(place: Workplace) -> Ended:
    """Whoever reads the events is closed, as a panel or a terminal is."""

    def patch() -> None:
        reading, writing = os.pipe()
        os.dup2(writing, 1)
        os.close(writing)
        os.close(reading)

    place.set_job(long=True)
    return _ended(place, Worker(place, patch), "cancelled")


def works_again(place: Workplace) -> list[str]:
    """The same job once more, with nothing in its way."""
    place.set_job(long=False)
    worker = Worker(place)
    code = worker.end()
    wrong = [] if code == 0 else [f"the next run ended with {code}: {worker.stderr.strip()[:200]}"]
    return wrong + [f"after the next run: {one}" for one in faults_after(place, worker, done=True)]


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


ON_RUNS: dict[str, Callable[[Workplace], Ended]] = {
    "SIGKILL while iterating": _signalled(signal.SIGKILL, "error resource"),
    "SIGTERM while iterating": _signalled(signal.SIGTERM, "cancelled"),
    "SIGINT (Ctrl-C) while iterating": _signalled(signal.SIGINT, "cancelled"),
    "SIGHUP (terminal closed) while iterating": _signalled(signal.SIGHUP, "cancelled"),
    "crash (SIGSEGV) while iterating": _signalled(signal.SIGSEGV, "error internal"),
    "cancel file": _cancel_file,
    "whoever reads the events is gone": _listener_gone,
    "memory runs out (RLIMIT_AS)": _no_memory,
    "file size limit (RLIMIT_FSIZE)": _quota,
    "full disk at the output": _full_disk("output"),
    "full disk at the job folder": _full_disk("job"),
    "read-only output folder": _read_only("output"),
    "read-only job folder": _read_only("job"),
    "input removed before it is read": _after_hashing(Path.unlink),
    "input cut short before it is read": _after_hashing(_truncate),
    "input removed after it was read": _input_gone_later,
    "CUDA error (simulated)": _gpu("CUDA error: an illegal memory access was encountered"),
    "CUDA out of memory (simulated)": _gpu("CUDA out of memory. Tried to allocate 20.00 GiB."),
    "a second run of the same folder": _second_job,
    "clock going backwards": _clock_back,
}
