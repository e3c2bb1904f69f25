"""A small memory of the last few results, left behind when its owner is copied to another process."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Keeps up to ``size`` values by key, forgetting the oldest; pickles empty."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: dict[Hashable, Value] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of ``key``, made now if it is not remembered."""
        if key in self._values:
            return self._values[key]
        value = make()
        while len(self._values) >= self._size:
            self._values.pop(next(iter(self._values)))
        self._values[key] = value
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {"_size": self._size, "_values": {}}
