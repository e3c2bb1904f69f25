"""Where a result comes from: everything needed to make it again, and to doubt it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import DynamicMRIReconLib
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.jobs.job import Job

NOTICE = "Not for diagnostic use."
PROGRAM = "dynamic-mri-recon"
#: packages whose version can change a result
_PACKAGES = ("numpy", "scipy", "torch", "finufft", "pytorch-finufft", "torchkbnufft", "sigpy", "ismrmrd", "h5py")


def of_result(
    job: Job, values: dict[str, Any], simulation: dict[str, Any] | None, device: str, warnings: list[str]
) -> dict[str, Any]:
    """What goes into the header of the result file.

    It is the same for every run of the same job on the same computer and versions, so that equal results are equal
    files; and it holds names of input files, not folders, which may name people.

    ``values`` are the method's parameters as used, presets and defaults resolved; ``simulation`` those of the simulated
    acquisition, None for a measured one; ``device`` as resolved.
    """
    return {
        "software": software(),
        "notice": NOTICE,
        "method": job.method,
        "preset": job.preset,
        "parameters": values,
        "simulated_acquisition": simulation,
        "frames": job.frames,
        "seed": job.seed,
        "device": device,
        "inputs": [{"name": Path(one.path).name, "sha256": one.sha256} for one in job.all_inputs()],
        "weights_sha256": None,
        "versions": versions(),
        "hardware": hardware(device),
        "warnings": warnings,
        "command": shell_command(job, names_only=True),
    }


def software() -> str:
    """The program with its version."""
    return f"{PROGRAM} {DynamicMRIReconLib.__version__}"


def weights_of(series: ImageSeries) -> dict[str, str] | None:
    """SHA-256 of the trained weights that made ``series``, by the name of the network; None without any."""
    models = series.metadata.get("models")
    if not isinstance(models, dict):
        return None
    return {name: model["sha256"] for name, model in models.items() if "sha256" in model} or None


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a result; those not installed are left out."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware(device: str) -> dict[str, Any]:
    """Processor, system, threads (sums differ in their last digits with the number) and, if one was used, GPU."""
    import torch

    entry: dict[str, Any] = {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
    if device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(torch.device(device))
        entry["gpu"] = properties.name
        entry["gpu_memory_bytes"] = properties.total_memory
    return entry


def peak_memory(device: str) -> dict[str, int | None]:
    """Most memory this process has held so far, in bytes; on the GPU, what torch has held."""
    peaks: dict[str, int | None] = {"main_bytes": _peak_main_memory(), "gpu_bytes": None}
    if device.startswith("cuda"):
        import torch

        peaks["gpu_bytes"] = int(torch.cuda.max_memory_allocated(torch.device(device)))
    return peaks


def shell_command(job: Job, *, names_only: bool = False) -> str:
    """The command line that repeats the job; with ``names_only`` paths are reduced to file names."""
    return shlex.join(_words(job, names_only))


def _words(job: Job, names_only: bool) -> list[str]:

    def shown(path: str) -> str:
        return Path(path).name if names_only else path

    words: list[str] = [PROGRAM, "recon", *(shown(one.path) for one in job.inputs), "--method", job.method]
    words += ["--preset", job.preset]
    for name, value in job.parameters.items():
        words += ["--set", f"{name}={_as_text(value)}"]
    for name, value in job.read.given().items():
        words += [f"--{name.replace('_', '-')}", ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    if job.masks:
        words += ["--masks", *(shown(one.path) for one in job.masks)]
    if job.transforms:
        words += ["--transforms"]
    for option, one in (
        ("--trajectory", job.trajectory),
        ("--coil-maps", job.coil_maps),
        ("--reference", job.reference),
    ):
        if one is not None:
            words += [option, shown(one.path)]
    if job.cardiac is not None:
        words += ["--cardiac", job.cardiac]
    if job.simulate is not None:
        words += ["--simulate", ",".join(f"{name}={_as_text(value)}" for name, value in job.simulate.items())]
    if job.frames is not None:
        words += ["--frames", f"{job.frames[0]}:{job.frames[1]}"]
    for name in ("data_consistency", "private"):
        words += [f"--{name.replace('_', '-')}"] if getattr(job, name) else []
    words += [] if job.memory_check else ["--no-memory-check"]
    output = "result.seq.nrrd" if names_only or job.output is None else job.output
    return [*words, "--device", job.device, "--seed", str(job.seed), "--output", output]


def _as_text(value: Any) -> str:
    if value is None or isinstance(value, (bool, list, dict)):
        return json.dumps(value)
    return str(value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _peak_main_memory() -> int | None:
    # Linux: getrusage would also count what the program that started this one held, such as all of 3D Slicer.
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, the others KiB.
    return int(peak if sys.platform == "darwin" else peak * 1024)
