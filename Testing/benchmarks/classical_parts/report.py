"""The page with the tables."""

from __future__ import annotations

from typing import Any


def summary(row: dict[str, Any]) -> str:
    """One line of figures."""
    if "failed" in row:
        return f"FAILED {row['failed']}"
    return (
        f"PSNR {row['psnr_db']:.2f} moving {row['moving_psnr_db']:.2f} SSIM {row['ssim']:.4f} "
        f"CPU {row['cpu_s']:.1f} s wall {row['wall_s']:.1f} s"
    )


def page(chosen: Any, results: Any) -> str:
    return ""
