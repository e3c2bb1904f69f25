"""Faults of named arrays, whatever file they lie in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz_parts.case import Expected
from hypothesis import strategies as st

Arrays = dict[str, Any]
Change = tuple[Callable[[Arrays, Any], Expected | None], st.SearchStrategy[Any], Expected]

_BAD_NUMBERS = st.sampled_from(["nan", "inf", "-inf"])
_TIMES: dict[str, tuple[Callable[[np.ndarray], Any], Expected]] = {
    "repeated": (lambda t: np.zeros_like(t), "refused"),
    "backwards": (lambda t: t[::-1].copy(), "refused"),
    "not a number": (lambda t: np.full_like(t, np.nan), "refused"),
    "endless": (lambda t: t / 0.0 if t.any() else t + np.inf, "refused"),
    "negative": (lambda t: t - 100.0, "any"),
    "one too many": (lambda t: np.append(t, t[-1] + 1), "refused"),
    "one too few": (lambda t: t[:-1], "refused"),
    "texts": (lambda t: t.astype("U8"), "refused"),
    "complex": (lambda t: t.astype(complex) + 1j, "refused"),
    "none": (lambda t: t[:0], "refused"),
    "a column": (lambda t: t[:, None], "any"),
    "closer than can be told": (lambda t: 1e18 + np.arange(len(t)) * 1e-3, "refused"),
    "other order of bytes": (lambda t: t.astype(t.dtype.newbyteorder(">")), "same"),
}
_AFFINES: dict[str, tuple[Callable[[np.ndarray], Any], Expected]] = {
    "left-handed": (lambda a: a @ np.diag([-1.0, 1, 1, 1]), "any"),
    "singular": (lambda a: a @ np.diag([1.0, 1, 0, 1]), "refused"),
    "two axes alike": (lambda a: np.column_stack([a[:, 0], a[:, 0], a[:, 2:]]), "refused"),
    "nothing": (lambda a: np.zeros_like(a), "refused"),
    "not a number": (lambda a: np.where(a == 0, np.nan, a), "refused"),
    "endless": (lambda a: np.where(a == 0, np.inf, a), "refused"),
    "three rows": (lambda a: a[:3], "refused"),
    "three by three": (lambda a: a[:3, :3], "refused"),
    "a last row that projects": (lambda a: a + np.array([[0], [0], [0], [1]]), "refused"),
    "texts": (lambda a: a.astype("U8"), "any"),
    "huge": (lambda a: a @ np.diag([1e200, 1e200, 1e200, 1]), "any"),
    "complex": (lambda a: a + 0j, "any"),
    "flat": (lambda a: a.ravel(), "refused"),
}
_KINDS = ("U4", "S3", "?", "i1", ">i2", "f2", "f8", "c16", "M8[s]", "m8[ms]", "V8", "O")


def _number(name: str) -> float:
    return float(name)


def not_finite(field: str) -> Change:
    """A value that is none, somewhere in ``field``."""

    def change(arrays: Arrays, value: tuple[str, float]) -> Expected:
        word, place = value
        array = np.array(arrays[field])
        if array.dtype.kind not in "fc":
            array = array.astype(np.float64)
        array.reshape(-1)[int(place * (array.size - 1))] = _number(word)
        arrays[field] = array
        # any flag that is not 0 is set
        return "any" if field == "synthetic" else "refused"

    return change, st.tuples(_BAD_NUMBERS, st.floats(0, 1)), "refused"


def times() -> Change:
    """Frame times that cannot be, and some that can."""

    def change(arrays: Arrays, name: str) -> Expected:
        make, expected = _TIMES[name]
        with np.errstate(all="ignore"):
            arrays["times_s"] = make(np.asarray(arrays["times_s"]))
        return expected

    return change, st.sampled_from(sorted(_TIMES)), "refused"


def affine() -> Change:
    """Geometry that cannot be, and some that can."""

    def change(arrays: Arrays, name: str) -> Expected:
        make, expected = _AFFINES[name]
        arrays["affine"] = make(np.asarray(arrays["affine"]))
        return expected

    return change, st.sampled_from(sorted(_AFFINES)), "refused"


def no_elements(field: str, axes: int) -> Change:
    """No frames, no coils, no shots: an axis without elements."""

    def change(arrays: Arrays, axis: int) -> None:
        arrays[field] = np.take(arrays[field], [], axis=axis)

    return change, st.integers(0, axes - 1), "refused"


def other_kind(field: str) -> Change:
    """Elements of another kind."""

    def change(arrays: Arrays, kind: str) -> Expected:
        array = np.asarray(arrays[field])
        with np.errstate(all="ignore"):
            real = array.real if array.dtype.kind == "c" and np.dtype(kind).kind not in "cOUS" else array
            arrays[field] = np.zeros(array.shape, kind) if kind in ("M8[s]", "m8[ms]", "V8") else real.astype(kind)
        return "refused" if kind in ("O", "U4", "S3", "V8", "M8[s]", "m8[ms]") else "any"

    return change, st.sampled_from(_KINDS), "any"


def swapped_bytes(field: str) -> Change:
    """The same values in the other order of bytes, and told so."""

    def change(arrays: Arrays, _: Any) -> None:
        array = np.asarray(arrays[field])
        arrays[field] = array.astype(array.dtype.newbyteorder(">"))

    return change, st.none(), "same"


def shape(field: str) -> Change:
    """Axes missing, added or turned round."""

    def change(arrays: Arrays, way: str) -> None:
        array = np.asarray(arrays[field])
        made = {
            "flat": lambda: array.ravel(),
            "one axis more": lambda: array[None],
            "turned round": lambda: array.T,
            "first element": lambda: array[0],
            "one number": lambda: array.ravel()[0],
            "doubled": lambda: np.concatenate([array, array]),
            "many axes": lambda: array.reshape(array.shape + (1,) * 20),
        }
        arrays[field] = made[way]()

    ways = ("flat", "one axis more", "turned round", "first element", "one number", "doubled", "many axes")
    return change, st.sampled_from(ways), "any"


def scaled(field: str) -> Change:
    """Values beyond single precision, or nothing but zeros."""

    def change(arrays: Arrays, factor: float) -> Expected:
        array = np.asarray(arrays[field])
        with np.errstate(all="ignore"):
            arrays[field] = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64) * factor
        return "refused" if abs(factor) > 1e39 else "any"

    return change, st.sampled_from([0.0, 1e-45, 1e30, 1e38, 1e45, 1e300, -1.0]), "any"


def missing(field: str) -> Change:
    """The field is not there."""

    def change(arrays: Arrays, _: Any) -> None:
        del arrays[field]

    return change, st.none(), "any"


def text(field: str = "metadata") -> Change:
    """Notes that are no notes."""

    def change(arrays: Arrays, value: str) -> None:
        arrays[field] = np.array(value)

    return change, hostile_texts(), "any"


def hostile_texts() -> st.SearchStrategy[str]:
    """Texts that readers of JSON stumble over."""
    return st.sampled_from(
        [
            "[" * 100_000,
            '{"a":' * 50_000,
            '{"warnings": 3}',
            '{"warnings": [{}, null, 1e999]}',
            '{"warnings": null}',
            '{"warnings": {"a": "\\u001b[2J\\u0007"}}',
            '{"warnings": ["\\u001b]0;title\\u0007"]}',
            '{"prewhitening": 7}',
            '{"prewhitening": {"real": "x", "imag": []}}',
            '{"slice_thickness_mm": "thick", "source": [1, 2], "provenance": 3, "figures": "x", "models": 3}',
            '{"provenance": {"inputs": 4}, "parts": 1, "stacks": [1]}',
            '{"a": NaN, "b": Infinity, "c": 1e400}',
            '{"\\ud800": "\\udfff"}',
            "1" * 5000,
            '"' + "\0" * 50 + '"',
            "null",
            "{",
            '{"version": ' + "9" * 4400 + "}",
        ]
    )


def kspace_changes(fields: dict[str, int]) -> dict[str, Change]:
    """All faults of k-space or of a series whose main array, of that many axes, is the first of ``fields``."""
    main = next(iter(fields))
    changes: dict[str, Change] = {"times": times(), "affine": affine(), "metadata": text()}
    for field, axes in fields.items():
        changes |= {
            f"{field} not finite": not_finite(field),
            f"{field} without elements": no_elements(field, axes),
            f"{field} of another kind": other_kind(field),
            f"{field} in the other order of bytes": swapped_bytes(field),
            f"{field} of another shape": shape(field),
            f"{field} scaled": scaled(field),
        }
    return {**changes, **{f"{field} missing": missing(field) for field in ("affine", "times_s", main)}}
