"""The keyboard's way through the panel, where widgets are made later than those of the .ui file."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import qt


def insert(before: Any, widgets: list[Any], after: Any) -> None:
    """Let the Tab key go from ``before`` through ``widgets`` to ``after``.

    Qt goes in the order in which widgets were made: those of a method's parameters would come last.
    """
    for one, other in pairwise([before, *widgets, after]):
        qt.QWidget.setTabOrder(one, other)
