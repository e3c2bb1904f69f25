"""Which of several variables in a file holds the data."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from DynamicMRIReconLib.errors import InputError


def choose_variable(arrays: dict[str, NDArray[Any]], wanted: str | None, name: str) -> NDArray[Any]:
    """The array called ``wanted``, else the only complex one, else the only one, of two axes at least.

    Raises
    ------
    InputError
        There is none, or several could be meant; the message names them with their shapes.
    """
    numbers = {key: value for key, value in arrays.items() if value.dtype.kind in "biufc"}
    if wanted is not None:
        if wanted in numbers:
            return numbers[wanted]
        raise InputError(f"{name} has no variable of numbers called {wanted!r}; it has {_list(numbers)}.")
    candidates = {key: value for key, value in numbers.items() if value.squeeze().ndim >= 2}
    complex_ones = {key: value for key, value in candidates.items() if value.dtype.kind == "c"}
    for group in (complex_ones, candidates):
        if len(group) == 1:
            return next(iter(group.values()))
        if group:
            raise InputError(f"{name} holds several arrays: {_list(group)}; say which with --variable NAME.")
    raise InputError(f"{name} holds no array of k-space or images; it has {_list(arrays)}.")


def _list(arrays: dict[str, NDArray[Any]]) -> str:
    shown = [f"{key} {value.shape}" for key, value in list(arrays.items())[:8]]
    return ", ".join(shown) + (", ..." if len(arrays) > 8 else "") if shown else "nothing"
