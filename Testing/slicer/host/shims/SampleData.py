"""``SampleData``: keeps what modules register."""

from __future__ import annotations

from typing import Any, ClassVar


class SampleDataLogic:
    """Registered sources, by category."""

    sources: ClassVar[list[dict[str, Any]]] = []
    categories: ClassVar[dict[str, str]] = {}

    @staticmethod
    def registerCustomSampleDataSource(category: str = "Custom", **source: Any) -> None:
        SampleDataLogic.sources.append({"category": category, **source})

    @staticmethod
    def registerCustomSampleDataCategory(name: str, title: str = "") -> None:
        SampleDataLogic.categories[name] = title
