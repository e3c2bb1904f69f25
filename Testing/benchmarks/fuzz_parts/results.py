"""Counts that outlive the run: a JSON file in a folder, the failing files beside it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from fuzz_parts import judge
from fuzz_parts.runner import Outcome


class Results:
    """Counts by format and seed; runs with several seeds add up."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.keep = folder / "failing"
        self._path = folder / "counts.json"
        self._rows: dict[str, dict[str, dict[str, Any]]] = {}
        if self._path.exists():
            self._rows = json.loads(self._path.read_text(encoding="utf-8"))

    def has(self, name: str, run_seed: int, files: int) -> bool:
        """Whether that many files of a format were tried with that seed, and none failed."""
        row = self._rows.get(name, {}).get(str(run_seed))
        if row is None:
            return False
        counts = Counter(row["counts"])
        return counts.total() >= files and not any(counts[column] for column in judge.BAD)

    def add(self, name: str, run_seed: int, outcome: Outcome) -> None:
        """Keep the counts of a format, instead of earlier ones with that seed."""
        row = {"counts": dict(outcome.counts), "structured": outcome.structured}
        self._rows.setdefault(name, {})[str(run_seed)] = row
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._rows, indent=1), encoding="utf-8")
        temporary.replace(self._path)

    def counts(self, name: str) -> Counter[str]:
        """Of a format, over all seeds; empty where it was not tried."""
        whole: Counter[str] = Counter()
        for row in self._rows.get(name, {}).values():
            whole += Counter(row["counts"])
        return whole

    def structured(self) -> int:
        """How many of all files had a fault with a meaning."""
        return sum(int(row["structured"]) for rows in self._rows.values() for row in rows.values())

    def seeds(self) -> list[int]:
        """Those that were used."""
        return sorted({int(number) for rows in self._rows.values() for number in rows})

    def bad(self) -> int:
        """How many files did what none should."""
        return sum(self.counts(name)[column] for name in self._rows for column in judge.BAD)
