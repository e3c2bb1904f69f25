"""One run of the worker, and what its record says of estimate, memory and time."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DynamicMRIReconLib.jobs import files
from DynamicMRIReconLib.jobs.local import worker_command, worker_environment
from estimates_parts.cases import Case
from estimates_parts.data import files_of

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LONGEST_S = 900


@dataclass(frozen=True)
class Measured:
    """Bytes and seconds, estimated and measured."""

    estimated_bytes: float
    bytes: float
    estimated_s: float
    seconds: float

    @property
    def ratios(self) -> tuple[float, float]:
        """Estimated over measured, of memory and of time."""
        return self.estimated_bytes / self.bytes, self.estimated_s / self.seconds


def measured(case: Case, folder: Path, threads: int = 1) -> Measured:
    """Run ``case`` on data in ``folder``.

    Raises
    ------
    RuntimeError
        The worker failed.
    """
    inputs = [{"path": str(path)} for path in files_of(case.data, folder)]
    entries: dict[str, Any] = {"method": case.method, "preset": case.preset, "parameters": case.parameters}
    with tempfile.TemporaryDirectory(prefix="estimates-") as name:
        job = Path(name)
        (job / files.JOB).write_text(json.dumps({**entries, "inputs": inputs, "device": "cpu"}), encoding="utf-8")
        environment = {**worker_environment(), **dict.fromkeys(_THREADS, str(threads))}
        ended = subprocess.run(
            worker_command(job), env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        if ended.returncode != 0:
            raise RuntimeError(f"{case.name}: exit code {ended.returncode}: {ended.stderr[-500:]}")
        record = json.loads((job / files.PROVENANCE).read_text(encoding="utf-8"))
    cost = record["cost"]
    peak = record["peak_memory"]["main_bytes"]
    return Measured(cost["estimated_memory_bytes"], peak, cost["estimated_s"], cost["cpu_s"])
