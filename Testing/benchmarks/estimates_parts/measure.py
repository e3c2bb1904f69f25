"""One run of the worker with one thread, what its record says of memory and time, and how fast the computer was."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimates_parts.cases import Case
from estimates_parts.data import files_of

from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.local import worker_command, worker_environment

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LONGEST_S = 1800
_SPEEDS = "from DynamicMRIReconLib.methods.common import speed; print(speed.transform_speed(), speed.network_speed())"


@dataclass(frozen=True)
class Measured:
    """Peak bytes of the process, processor seconds of the method, and the speeds just before and after the run."""

    bytes: float
    seconds: float
    transform_speed: float
    network_speed: float


def measured(case: Case, folder: Path) -> Measured:
    """Run ``case`` on data in ``folder``.

    Raises
    ------
    RuntimeError
        The worker failed.
    """
    inputs = [{"path": str(path)} for path in files_of(case.data, folder)]
    entries: dict[str, Any] = {"method": case.method, "preset": case.preset, "parameters": case.parameters}
    environment = {**worker_environment(), **dict.fromkeys(_THREADS, "1")}
    with tempfile.TemporaryDirectory(prefix="estimates-") as name:
        job = Path(name)
        (job / files.JOB).write_text(json.dumps({**entries, "inputs": inputs, "device": "cpu"}), encoding="utf-8")
        before = _speeds(environment)
        ended = subprocess.run(
            worker_command(job), env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        after = _speeds(environment)
        if ended.returncode != 0:
            raise RuntimeError(f"{case.name}: exit code {ended.returncode}: {ended.stderr[-500:]}")
        record = json.loads((job / files.PROVENANCE).read_text(encoding="utf-8"))
    peak, seconds = record["peak_memory"]["main_bytes"], record["cost"]["cpu_s"]
    return Measured(peak, seconds, *((one * other) ** 0.5 for one, other in zip(before, after, strict=True)))


def _speeds(environment: dict[str, str]) -> list[float]:
    told = subprocess.run([sys.executable, "-c", _SPEEDS], env=environment, capture_output=True, text=True, check=True)
    return [float(word) for word in told.stdout.split()]
