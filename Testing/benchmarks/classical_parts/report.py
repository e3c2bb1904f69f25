"""The page with the tables."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess

from classical_parts.contenders import BART_ITERATIONS, BART_MORE_ITERATIONS, CONTENDERS, Contender
from classical_parts.results import Results, Row
from classical_parts.settings import NOISE, Setting

COLUMNS = (
    "| | weights | PSNR | SSIM | NRMSE | moving: PSNR | SSIM | NRMSE | CPU | wall | memory | untuned: PSNR | moving |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
)
PACKAGES = ("torch", "finufft", "sigpy", "numpy")


def summary(row: Row) -> str:
    """One line of figures."""
    if "failed" in row:
        return f"FAILED {row['failed']}"
    return (
        f"PSNR {row['psnr_db']:.2f} moving {row['moving_psnr_db']:.2f} SSIM {row['ssim']:.4f} "
        f"CPU {row['cpu_s']:.1f} s wall {row['wall_s']:.1f} s"
    )


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
        f"{platform.machine()}, one thread for everyone; Python {platform.python_version()}, {versions}, BART {bart}.",
        "",
        "**Scans.** Simulated from moving phantoms, continuous in space and time: every shot at its own moment, "
        "on a grid twice as fine as the image, complex white noise of standard deviation "
        f"{NOISE:g} of the brightest voxel in each sample. Everyone gets the same samples and the true coil "
        "sensitivity maps, so that solvers are compared and not maps.",
        "",
        "**Figures.** Magnitudes against the true series after one least-squares factor for the whole series; means "
        "over frames. *Moving*: the pixels whose standard deviation over time is at least a quarter of its maximum. "
        "CPU is user and system time of the whole process, Python and its imports (about 2 s) or BART's start "
        "included; memory is its peak. Runs were made in turn, one at a time.",
        "",
        "**Weights.** Each tuned row is the best PSNR of a grid with steps of 3, extended while the best is at its "
        "edge and refined once; several weights of a method are scaled together. *Untuned* is the preset `standard`. "
        "For BART the untuned columns are empty: its weights have no default.",
        "",
        f"**BART.** `bart pics -S -i {BART_ITERATIONS} -R T:1024:0:lambda` and `-e -b 8 -R L:3:3:lambda`; again with "
        f"-i {BART_MORE_ITERATIONS} at the best lambda. Tried and found worse on 13 spokes: `-u 10` and `-u 0.1` "
        "instead of the default, ADMM (`-m`) for L; without `-e` L diverges on radial data.",
        "",
    ]
    for setting in chosen:
        lines += _setting(setting, results)
    return "\n".join(lines)


def _setting(setting: Setting, results: Results) -> list[str]:
    rows = [(contender, results.best(setting.name, contender)) for contender in CONTENDERS.values()]
    measured = [(contender, row) for contender, row in rows if row is not None]
    if not measured:
        return []
    body = [_line(setting, contender, row, results) for contender, row in measured]
    failed = [
        f"{contender.name} gave no result: {row['failed']}."
        for contender in CONTENDERS.values()
        if (row := results.get(setting.name, contender, contender.parameters(1.0))) is not None and "failed" in row
    ]
    return [f"## {setting.title}", "", *COLUMNS, *body, "", *failed, *_verdicts(setting, results), ""]


def _line(setting: Setting, contender: Contender, row: Row, results: Results) -> str:
    names = ("regularization", "spatial_regularization", "low_rank_regularization", "smoothness", "lambda")
    weights = " ".join(f"{row['parameters'][name]:g}" for name in names if name in row["parameters"])
    plain = results.get(setting.name, contender, contender.parameters(1.0))
    untuned = " | "
    if contender.tool == "ours" and plain is not None and "failed" not in plain:
        untuned = f"{plain['psnr_db']:.2f} | {plain['moving_psnr_db']:.2f}"
    return (
        f"| {contender.name} | {weights} | {row['psnr_db']:.2f} | {row['ssim']:.3f} | {row['nrmse']:.3f} "
        f"| {row['moving_psnr_db']:.2f} | {row['moving_ssim']:.3f} | {row['moving_nrmse']:.3f} "
        f"| {row['cpu_s']:.1f} s | {row['wall_s']:.1f} s | {row['peak_bytes'] / 2**20:.0f} MiB | {untuned} |"
    )


def _verdicts(setting: Setting, results: Results) -> list[str]:
    """What the table says about each pair, in words that do not hide a loss."""
    lines = []
    for contender in CONTENDERS.values():
        ours = results.best(setting.name, contender)
        rival = CONTENDERS.get(contender.rival)
        theirs = _best_of_rival(setting, rival, results) if rival else None
        if ours is None or theirs is None:
            continue
        gain = ours["psnr_db"] - theirs["psnr_db"]
        moving = ours["moving_psnr_db"] - theirs["moving_psnr_db"]
        lines.append(
            f"- {contender.name} - {contender.rival}: {gain:+.2f} dB, moving {moving:+.2f} dB; {_time(ours, theirs)}."
        )
    best = [max((r["psnr_db"] for r in results.of_tool(setting.name, tool)), default=None) for tool in ("ours", "bart")]
    if None not in best:
        lines.append(f"- Best of ours - best of BART: {best[0] - best[1]:+.2f} dB.")
    return lines


def _best_of_rival(setting: Setting, rival: Contender, results: Results) -> Row | None:
    """The better of the tuned run and the longer one."""
    rows = [
        results.best(setting.name, contender)
        for contender in CONTENDERS.values()
        if contender.tool == rival.tool and contender.method == rival.method
    ]
    return max((row for row in rows if row is not None), key=lambda row: float(row["psnr_db"]), default=None)


def _time(ours: Row, theirs: Row) -> str:
    reached = next((cpu for cpu, psnr in ours.get("trace", []) if psnr >= theirs["psnr_db"]), None)
    if reached is None:
        return f"its PSNR of {theirs['psnr_db']:.2f} dB is not reached"
    times = f"{reached:.1f} s of CPU, by BART after {theirs['cpu_s']:.1f} s"
    return f"its PSNR of {theirs['psnr_db']:.2f} dB is reached after {times}"
