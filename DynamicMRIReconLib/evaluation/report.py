"""Results of several methods side by side as a Markdown table, which also reads well as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_COLUMNS = (
    ("PSNR (dB)", ("psnr_db", "mean"), "{:.2f}"),
    ("SSIM", ("ssim", "mean"), "{:.4f}"),
    ("NRMSE", ("nrmse", "mean"), "{:.4f}"),
    ("PSNR moving (dB)", ("moving", "psnr_db", "mean"), "{:.2f}"),
    ("SSIM moving", ("moving", "ssim", "mean"), "{:.4f}"),
    ("temporal sharpness", ("temporal_sharpness",), "{:.2f}"),
)


def report(results: Mapping[str, Mapping[str, Any]], *, extra: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """A table with a row for each of ``results`` (name: dict of ``evaluate``) and a column for each figure.

    ``extra`` adds columns: column title: {name: text}, for example times. Figures that do not exist are shown as "-".
    """
    extra = extra or {}
    header = ["method", *(title for title, _, _ in _COLUMNS), *extra]
    rows = [
        [
            name,
            *(_figure(result, keys, form) for _, keys, form in _COLUMNS),
            *(c.get(name, "-") for c in extra.values()),
        ]
        for name, result in results.items()
    ]
    return table(header, rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with columns of even width: the first to the left, the others to the right."""
    widths = [max(len(str(row[i])) for row in (header, *rows)) for i in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        "| "
        + " | ".join(_pad(str(cell), width, i) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        + " |"
        for row in (header, rule, *rows)
    ]
    return "\n".join(lines)


def _pad(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _figure(result: Mapping[str, Any], keys: Sequence[str], form: str) -> str:
    value: Any = result
    for key in keys:
        value = None if value is None else value.get(key)
    return "-" if value is None else form.format(value)
