"""The table of docs/reliability.md."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

from fuzz_parts import judge
from fuzz_parts.runner import CPU_S, MEMORY_BYTES, Finding, Outcome

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reliability.md"


def line_of(finding: Finding, run_seed: int) -> str:
    """A finding in a line, with what makes it again."""
    kind, why = finding.verdict
    value = "" if finding.case.value is None else f" {str(finding.case.value)[:80]!r}"
    return f"{kind}: {finding.case.format} seed {run_seed} number {finding.case.number} [{finding.label}{value}] {why}"


def table(found: Mapping[str, Outcome]) -> list[str]:
    """A row for each format, and the sum."""
    lines = [f"| format | tried | {' | '.join(judge.COLUMNS)} |", "|---" * (len(judge.COLUMNS) + 2) + "|"]
    for name, outcome in found.items():
        numbers = [outcome.counts[column] for column in judge.COLUMNS]
        lines.append(f"| {name} | {sum(numbers)} | {' | '.join(map(str, numbers))} |")
    sums = [sum(outcome.counts[column] for outcome in found.values()) for column in judge.COLUMNS]
    return [*lines, f"| all | {sum(sums)} | {' | '.join(map(str, sums))} |"]
