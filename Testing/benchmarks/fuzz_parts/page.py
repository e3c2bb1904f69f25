"""docs/reliability.md, which several scripts write, each its own part."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reliability.md"

_HEAD = """# Reliability, measured

What becomes of broken files and of runs that something happens to, and how near estimates come to what runs take. Not
for diagnostic use.
"""


def put_part(part: str) -> None:
    """Replace the part of the page that begins with the same heading, or add it; parts are sorted by heading."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else _HEAD
    title = part.partition("\n")[0]
    head, *others = [piece.rstrip("\n") for piece in re.split(r"(?m)^(?=## )", text)]
    kept = [piece for piece in others if piece.partition("\n")[0] != title]
    PAGE.write_text("\n\n".join([head, *sorted([*kept, part.rstrip("\n")])]) + "\n", encoding="utf-8")
