"""``tr``: Slicer's translation of the texts that users read, imported as ``_`` where they stand.

Slicer's tools find ``_("...")`` in the sources and take the file as the context. What comes from the library (parameter
names, why an input does not fit) is in English everywhere, as it is on the command line. Outside Slicer texts stay as
they are.
"""

from __future__ import annotations

try:
    from slicer.i18n import tr
except ImportError:

    def tr(text: str) -> str:
        """The text itself."""
        return text


__all__ = ["tr"]
