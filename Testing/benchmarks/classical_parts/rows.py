"""One setting as a table, and one run as a line."""

from __future__ import annotations

from classical_parts.contenders import CONTENDERS, WEIGHTS, Contender
from classical_parts.results import Results, Row
from classical_parts.settings import Setting

HEAD = (
    "| | tried | weights | PSNR | SSIM | NRMSE | moving: PSNR | SSIM | NRMSE | CPU | wall | memory "
    "| untuned: PSNR | moving |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
)


def summary(row: Row) -> str:
    """One line of figures."""
    if "failed" in row:
        return f"FAILED {row['failed']}"
    return (
        f"PSNR {row['psnr_db']:.2f} moving {row['moving_psnr_db']:.2f} SSIM {row['ssim']:.4f} "
        f"CPU {row['cpu_s']:.1f} s wall {row['wall_s']:.1f} s"
    )


def untuned(setting: Setting, contender: Contender, results: Results) -> Row | None:
    """The row of the preset ``standard``; BART has no such weights."""
    row = results.get(setting.name, contender, contender.parameters(1.0))
    return None if contender.tool != "ours" or row is None or "failed" in row else row


def table(setting: Setting, results: Results) -> list[str]:
    """A row for each contender that was measured, and a sentence for each that gave no result."""
    lines = [
        _line(setting, contender, row, results)
        for contender in CONTENDERS.values()
        if (row := results.best(setting.name, contender)) is not None
    ]
    failed = [
        f"{contender.name} gave no result: {row['failed']}."
        for contender in CONTENDERS.values()
        if (row := results.get(setting.name, contender, contender.parameters(1.0))) is not None and "failed" in row
    ]
    return [*HEAD, *lines, "", *failed] if lines else failed


def _line(setting: Setting, contender: Contender, row: Row, results: Results) -> str:
    weights = " ".join(f"{row['parameters'][name]:g}" for name in (*WEIGHTS, "lambda") if name in row["parameters"])
    plain = untuned(setting, contender, results)
    without = f"{plain['psnr_db']:.2f} | {plain['moving_psnr_db']:.2f}" if plain is not None else " | "
    return (
        f"| {contender.name} | {len(results.rows(setting.name, contender))} | {weights} "
        f"| {row['psnr_db']:.2f} | {row['ssim']:.3f} | {row['nrmse']:.3f} "
        f"| {row['moving_psnr_db']:.2f} | {row['moving_ssim']:.3f} | {row['moving_nrmse']:.3f} "
        f"| {row['cpu_s']:.1f} s | {row['wall_s']:.1f} s | {row['peak_bytes'] / 2**20:.0f} MiB | {without} |"
    )
