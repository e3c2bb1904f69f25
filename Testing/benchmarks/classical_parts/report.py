"""The page with the tables."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

from classical_parts import rows, verdicts
from classical_parts.contenders import BART_ITERATIONS, BART_MORE_ITERATIONS, CONTENDERS
from classical_parts.repeats import CLOSE
from classical_parts.results import Results
from classical_parts.settings import NOISE, Setting

PACKAGES = ("torch", "finufft", "sigpy", "numpy")


def page(chosen: list[Setting], results: Results) -> str:
    """docs/benchmarks.md."""
    bart = subprocess.run(["bart", "version"], capture_output=True, text=True, check=False).stdout.strip()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    lines = [
        "# Classical methods, measured",
        "",
        "Written by `python Testing/benchmarks/classical.py --write`. The NUFFT has its own page: "
        "[benchmarks-nufft.md](benchmarks-nufft.md).",
        "",
        f"{_processor()}, one thread for everyone; Python {platform.python_version()}, {versions}, BART {bart}.",
        "",
        "**Scans.** Simulated from moving phantoms, continuous in space and time: every shot at its own moment, "
        "on a grid twice as fine as the image, complex white noise of standard deviation "
        f"{NOISE:g} of the brightest voxel in each sample. Everyone gets the same samples and the true coil "
        "sensitivity maps, so that solvers are compared and not maps.",
        "",
        "**Figures.** Magnitudes against the true series after one least-squares factor for the whole series; means "
        "over frames. *Moving*: the pixels whose standard deviation over time is at least a quarter of its maximum. "
        "CPU is user and system time of the whole process, Python and its imports (2 to 3 s) or BART's start "
        f"included; memory is its peak. {_spread(chosen, results)} Races closer than "
        f"{CLOSE:g} in CPU were run again, in alternation, and the runs of median CPU time are shown.",
        "",
        "**Weights.** Each row is the best whole-frame PSNR of those tried (*tried*: how many): the usual weights "
        "times 1, 3, 1/3 or roots of these, further while the best is at an edge; several weights of a method are "
        "scaled together, and the smoothness, the weight of a low-rank part or of the mean over time on its own as "
        "well. Fewer were tried where a run takes minutes. *Untuned* is the preset `standard`; "
        "BART's weights have no default.",
        "",
        f"**BART.** `bart pics -S -i {BART_ITERATIONS} -R T:1024:0:lambda` and `-e -b 8 -R L:3:3:lambda`; again with "
        f"-i {BART_MORE_ITERATIONS} at the best lambda where a row says so. Tried and found worse on 13 spokes: "
        "`-u 10` and `-u 0.1` instead of the default, ADMM (`-m`) for L; without `-e` L diverges on radial data.",
        "",
        "## Each method against its rival",
        "",
        "Tuned against tuned. PSNR and moving PSNR: what the method gains on the better of BART's rows with the same "
        "kind of regulariser, at its best lambda. CPU: the time until the method first has the PSNR of BART's row, "
        "beside the time that BART took. A verdict holds when nothing is lost in any column and the untuned method "
        f"loses less than {verdicts.LOSS_DB:g} dB to the tuned one. Where the best lambda of BART is the largest or "
        "the smallest tried, or either side tried one weight only, the verdict is of these rows and no more.",
        "",
        *verdicts.table(chosen, results),
    ]
    for setting in chosen:
        if any(results.rows(setting.name, contender) for contender in CONTENDERS.values()):
            lines += [f"## {setting.name}: {setting.title}", "", *rows.table(setting, results)]
            lines += verdicts.best_of_tools(setting, results)
    return "\n".join(lines)


def _processor() -> str:
    """Its name where Linux tells it."""
    file = Path("/proc/cpuinfo")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return f"{platform.machine()}, {names[0]}" if names else platform.machine()


def _spread(chosen: list[Setting], results: Results) -> str:
    """How much the CPU time of equal work differed: rows of one contender that differ in their weight only."""
    ratios = []
    for setting in chosen:
        for contender in CONTENDERS.values():
            times = [float(row["cpu_s"]) for row in results.rows(setting.name, contender)]
            if contender.tool == "bart" and contender.tuned and len(times) > 1:
                ratios.append(max(times) / min(times))
    if not ratios:
        return ""
    return (
        "The computer was in use by others as well: of BART's runs that differ in lambda only, the slowest took up to "
        f"{max(ratios):.2f} times the CPU time of the fastest, so that differences of less than that say little."
    )
