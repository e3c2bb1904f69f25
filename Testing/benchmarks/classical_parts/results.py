"""The measured rows, kept in a file so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from classical_parts.contenders import CONTENDERS, Contender

Row = dict[str, Any]


class Results:
    """Rows by setting, contender and parameters; written to ``path`` after each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[str, Row] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def get(self, setting: str, contender: Contender, parameters: dict[str, Any]) -> Row | None:
        """The row of this very run, if it has been made."""
        return self._rows.get(_key(setting, contender, parameters))

    def put(self, setting: str, contender: Contender, parameters: dict[str, Any], row: Row) -> None:
        """Keep a row."""
        self._rows[_key(setting, contender, parameters)] = row
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(self._rows, indent=1), encoding="utf-8")
        beside.replace(self.path)

    def tuned(self, setting: str, contender: Contender) -> dict[float, Row]:
        """Factor on the usual weight -> row, of what has been measured and did not fail."""
        found: dict[float, Row] = {}
        for power in range(-12, 13):
            factor = 3.0 ** (power / 2)
            row = self.get(setting, contender, contender.parameters(factor))
            if row is not None and "failed" not in row and (contender.tuned or power == 0):
                found[factor] = row
        return found

    def rows(self, setting: str, contender: Contender) -> list[Row]:
        """All that has been measured and did not fail, whatever the parameters."""
        rows = [row for key, row in self._rows.items() if key.startswith(f"{setting}|{contender.name}|")]
        return [row for row in rows if "failed" not in row]

    def best(self, setting: str, contender: Contender) -> Row | None:
        """The row with the highest PSNR of whole frames."""
        return max(self.rows(setting, contender), key=lambda row: float(row["psnr_db"]), default=None)

    def of_tool(self, setting: str, tool: str) -> list[Row]:
        """The best row of each contender of a tool."""
        rows = [self.best(setting, contender) for contender in CONTENDERS.values() if contender.tool == tool]
        return [row for row in rows if row is not None]


def _key(setting: str, contender: Contender, parameters: dict[str, Any]) -> str:
    words = ",".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    return f"{setting}|{contender.name}|{words}"
