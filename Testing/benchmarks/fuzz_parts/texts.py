"""Faults of texts that several formats share."""

from __future__ import annotations

from fuzz_parts.array_faults import hostile_texts
from fuzz_parts.case import Place
from hypothesis import strategies as st

JSON_TEXTS = st.one_of(hostile_texts(), st.sampled_from(["\ufeff{}", "\ud800", "", "\0"]))


def replace_text(place: Place, value: tuple[str, str]) -> None:
    """The first of two texts becomes the second, wherever it stands."""
    old, new = value
    text = place.given.read_text(encoding="utf-8")
    place.given.write_text(text.replace(old, new), encoding="utf-8")
