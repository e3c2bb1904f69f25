"""What a program holds of memory while it runs, and how much of that is its own or pages of files."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

_FIELDS = ("RssAnon", "RssFile", "RssShmem")
_EVERY_S = 0.02
_KEPT = 1500


@dataclass
class Watched:
    """``samples``: seconds since the start, MiB of memory of its own (with shared memory), MiB of pages of files."""

    code: int
    stderr: str
    seconds: float
    samples: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def own_mib(self) -> float:
        """The most memory of its own."""
        return max(own for _, own, _ in self.samples)

    @property
    def peak_mib(self) -> float:
        """The most of both together."""
        return max(own + files for _, own, files in self.samples)

    def thinned(self) -> list[tuple[float, float, float]]:
        """So many samples as a picture shows, each the largest of its neighbours."""
        step = -(-len(self.samples) // _KEPT)
        groups = [self.samples[start : start + step] for start in range(0, len(self.samples), step)]
        return [max(group, key=lambda one: one[1] + one[2]) for group in groups]


def watch(words: list[str], environment: dict[str, str]) -> Watched:
    """Run a command to its end and look at its memory all the time."""
    started = time.monotonic()
    process = subprocess.Popen(
        words, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    samples = []
    while process.poll() is None:
        held = _held_mib(process.pid)
        if held is not None:
            samples.append((time.monotonic() - started, held["RssAnon"] + held["RssShmem"], held["RssFile"]))
        time.sleep(_EVERY_S)
    _, stderr = process.communicate()
    return Watched(process.returncode, stderr, time.monotonic() - started, samples)


def _held_mib(pid: int) -> dict[str, float] | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = {
        name: int(rest.split()[0]) / 1024
        for name, _, rest in (line.partition(":") for line in lines)
        if name in _FIELDS
    }
    return found if len(found) == len(_FIELDS) else None
