"""One run of the command line as a process of its own: its result, its time, its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from volume_sr_parts.cases import Case

ROOT = Path(__file__).resolve().parents[3]

#: what simulated slices are: means of planes, sharp in the plane
SIMULATED = {"slice_profile": "boxcar", "in_plane_blur": 0}
Contender = tuple[str, str, dict[str, Any]]


def contenders(case: Case) -> list[Contender]:
    """Name in the table, method, settings over the preset standard; SRR also with the true profile, other weights."""
    tuned = [
        (f"SRR, true profile, weight {weight:g}", "srr", {**SIMULATED, "regularization": weight, "iterations": 30})
        for weight in (0.005, 0.001)
    ]
    total_variation = [
        (
            f"SRR, true profile, total variation {weight:g}",
            "srr",
            {**SIMULATED, "penalty": "tv", "regularization": weight, "iterations": 8},
        )
        for weight in ((0.004, 0.001) if case.noise else (0.001, 0.0004))
    ]
    if case.moved:
        # Each of its runs registers anew, which takes longest.
        tuned, total_variation = [], total_variation[:1]
    return [
        ("B-spline", "bspline", {}),
        ("SRR", "srr", {}),
        *tuned,
        *total_variation,
        ("IREM", "irem", {}),
    ]


class Runs:
    """Runs kept in a file, so that a benchmark that was stopped goes on where it was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def get(self, key: str, words: list[str], output: Path) -> dict[str, Any]:
        """Seconds and peak bytes of ``dynamic-mri-recon recon`` with ``words`` into ``output``."""
        if key not in self.rows or not output.exists():
            self.rows[key] = _run([*words, "--output", str(output)])
            self._path.write_text(json.dumps(self.rows, indent=1), encoding="utf-8")
        return self.rows[key]


def file_name(name: str) -> str:
    """The name of a contender as that of a file."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def words_of(settings: dict[str, Any]) -> list[str]:
    """``--set`` for each."""
    return [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]


def _run(words: list[str]) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(ROOT)
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "DynamicMRIReconLib", "recon", *words, "--device", "cpu", "--events"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"recon {' '.join(words)} ended with {child.returncode}")
    # kilobytes on Linux
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }
