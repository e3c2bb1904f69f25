"""One run of one contender as a process: its result beside the truth, its time, its memory."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from classical_parts.contenders import Contender

import DynamicMRIReconLib as dmr
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.evaluation.evaluate import evaluate
from DynamicMRIReconLib.io.bart_files import load_cfl

ROOT = Path(__file__).resolve().parents[3]
BART_TIME = 10


def measure(contender: Contender, place: Path, parameters: dict[str, Any], cartesian: bool) -> dict[str, Any]:
    """Figures of one run, JSON-able; ``failed`` says why there are none."""
    for old in ("result.npz", "result.cfl", "result.hdr", "trace.json"):
        (place / old).unlink(missing_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    began = time.perf_counter()
    with (place / "log.txt").open("w", encoding="utf-8") as log:
        child = subprocess.Popen(
            contender.command(place, parameters, cartesian), env=environment, stdout=log, stderr=log
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    row: dict[str, Any] = {
        "parameters": parameters,
        "wall_s": time.perf_counter() - began,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        # kilobytes on Linux
        "peak_bytes": usage.ru_maxrss * 1024,
    }
    if child.returncode != 0:
        log_end = (place / "log.txt").read_text(encoding="utf-8", errors="replace")[-300:]
        return {**row, "failed": f"exit status {child.returncode}: {log_end}"}
    truth = dmr.read(place / "truth.npz")
    array = _bart_series(place) if contender.tool == "bart" else dmr.read(place / "result.npz").array
    if not np.isfinite(array).all():
        return {**row, "failed": "values that are not finite"}
    figures = evaluate(ImageSeries(array, truth.affine, truth.times_s), truth)
    for name in ("psnr_db", "ssim", "nrmse"):
        row[name] = figures[name]["mean"]
        row[f"moving_{name}"] = figures["moving"][name]["mean"]
    if (place / "trace.json").exists():
        trace = json.loads((place / "trace.json").read_text(encoding="utf-8"))
        row["trace"], row["cpu_s"] = trace["points"], row["cpu_s"] - trace["own_s"]
    return row


def _bart_series(place: Path) -> Any:
    """(frames, z, y, x) from BART's x, y, z, ..., time."""
    array = load_cfl(place / "result.cfl")
    frames = array.shape[BART_TIME]
    return np.ascontiguousarray(array.reshape((*array.shape[:3], frames), order="F").transpose(3, 2, 1, 0))
