"""Makes docs/models.md from the model cards in Resources/Models.

``--write`` rewrites the page; the test compares it with ``page()``.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "models.md"
WIDTH = 120

HEAD = """
# Models that ship

This page is made from the model cards in `Resources/Models/` by `make lists`; do not edit it. Each model is a file of
weights (safetensors: numbers, nothing that could be run) and a card with its SHA-256, checked every time it is loaded.
A use outside of a card's ranges gives a warning in the panel, on the command line and in the provenance. How to train
your own: [training.md](training.md). **Not for diagnostic use.**
"""


def page() -> str:
    """The whole page."""
    sys.path.insert(0, str(ROOT))
    from DynamicMRIReconLib.models import places
    from DynamicMRIReconLib.models.card import read_card

    found = {name: (path, read_card(places.card_of(path))) for name, path in places.shipped().items()}
    rows = [f"| [`{name}`](#{name}) | {card.network} | {card.title} |" for name, (_, card) in found.items()]
    table = "\n".join(["| model | network | what |", "|---|---|---|", *rows])
    sections = [section(name, path, card) for name, (path, card) in found.items()]
    return "\n".join([HEAD.strip(), "", table, "", *sections])


def section(name: str, path: Path, card: Any) -> str:
    """One model."""
    said = [
        ("Use", card.intended_use),
        ("Trained on", card.trained_on),
        ("Licence", card.licence),
        ("Attribution", card.attribution),
        ("Notes", card.notes),
        ("File", f"`{path.name}`, {path.stat().st_size / 1e6:.1f} MB, SHA-256 `{card.sha256}`"),
        ("Made", f"{card.date}, by"),
    ]
    parts = [f"## {name}", "", f"{card.title}. {card.warning}", ""]
    for word, text in said:
        if text:
            parts += [textwrap.fill(f"**{word}.** {text}", WIDTH, break_long_words=False, break_on_hyphens=False), ""]
    parts += ["```sh", *(line for command in card.command.splitlines() for line in shell_lines(command)), "```", ""]
    if card.ranges:
        parts += ["| trained for | from | to | unit |", "|---|---:|---:|---|"]
        parts += [f"| {one.meaning} | {one.low:g} | {one.high:g} | {one.unit} |" for one in card.ranges.values()]
        parts += [""]
    if card.metrics:
        parts += ["| figure | on | value | compared with |", "|---|---|---:|---|"]
        for one in card.metrics:
            others = ", ".join(f"{key} {value:.4g}" for key, value in one.compared_with.items())
            parts += [f"| {one.name} | {one.data} | {one.value:.4g} | {others} |"]
        parts += [""]
    return "\n".join(parts)


def shell_lines(command: str) -> list[str]:
    """A command in lines of at most ``WIDTH`` characters, broken before options."""
    lines: list[str] = []
    for piece in command.replace(" --", "\n--").split("\n"):
        if lines and len(lines[-1]) + len(piece) + 3 <= WIDTH:
            lines[-1] += f" {piece}"
        else:
            lines.append(f"    {piece}" if lines else piece)
    return [line + " \\" for line in lines[:-1]] + lines[-1:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True, help="rewrite the page")
    parser.parse_args()
    PAGE.write_text(page(), encoding="utf-8")
