"""Whether what a command made of a broken file is right."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.case import Expected, Format
from fuzz_parts.observe import Seen

#: the columns of the table
REFUSED, SAME, OTHER = "refused", "same data", "as changed"
WRONG, TRACEBACK, HANG, CRASH, HALF = "wrong", "traceback", "hang", "crash", "half file"
COLUMNS = (REFUSED, SAME, OTHER, WRONG, TRACEBACK, HANG, CRASH, HALF)
BAD = (WRONG, TRACEBACK, HANG, CRASH, HALF)

_LONGEST_SENTENCE = 1200
#: room for what is filled in, and for what is spread over the frames
_ROOM_BYTES = 1 << 20

Verdict = tuple[str, str]


def fingerprint(data: Any) -> str:
    """A hash of all numbers that the data consist of."""
    digest = hashlib.sha256()
    for one in data if isinstance(data, list) else [data]:
        for name in sorted(vars(one)):
            value = getattr(one, name)
            if isinstance(value, np.ndarray):
                digest.update(f"{name} {value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
            elif name != "metadata":
                digest.update(f"{name} {value}".encode())
    return digest.hexdigest()


def contract_broken(data: Any, most_bytes: float) -> str:
    """What the data lack of what every method relies on; empty when all is well."""
    for one in data if isinstance(data, list) else [data]:
        arrays = {name: value for name, value in vars(one).items() if isinstance(value, np.ndarray)}
        for name, value in arrays.items():
            if value.size == 0:
                return f"{name} is empty"
            if not np.isfinite(value).all():
                return f"{name} is not finite"
        times, affine = arrays["times_s"], arrays["affine"]
        if (np.diff(times) <= 0).any() or len(times) != one.frames:
            return "the times do not increase, or are not one a frame"
        if np.linalg.det(affine[:3, :3]) <= 0 or not np.allclose(affine[3], (0, 0, 0, 1)):
            return "the affine is not right-handed"
        if max(value.nbytes for value in arrays.values()) > most_bytes:
            return "there is more data than the file can hold"
    return ""


def _plain(text: str) -> str:
    """Without what is left out of a message on a terminal."""
    return " ".join(
        "".join(letter if letter.isprintable() or letter.isspace() else "\ufffd" for letter in text).split()
    )


def sentence_fault(seen: Seen, names: list[str], named: bool = True) -> str:
    """What is wrong with a refusal; empty when it is one clear sentence that names the file."""
    lines = seen.err.splitlines()
    if len(lines) != 1 or not lines[0].startswith("dynamic-mri-recon: "):
        return f"it is not one line: {seen.err[:300]!r}"
    if len(lines[0]) > _LONGEST_SENTENCE:
        return f"it is {len(lines[0])} characters long"
    if not lines[0].isprintable():
        return "it holds control characters"
    told = _plain(lines[0])
    if named and not any(_plain(name)[:200] in told for name in names):
        return f"it names none of {names[:3]}: {lines[0][:300]!r}"
    return ""


def of_command(
    seen: Seen, one: Format, expected: Expected, good: str | None, stored_bytes: int, names: list[str]
) -> Verdict:
    """What ``info``, or what else reads the file, made of it; ``good`` is the fingerprint of the good file."""
    if seen.crimes:
        return WRONG, f"it made the program do what it must not: {seen.crimes[0]}"
    accepted = seen.code == 0 or (one.done and one.done in seen.err)
    if not accepted:
        if "Traceback" in seen.err or "Unexpected failure" in seen.err:
            return TRACEBACK, seen.err.strip()[:400]
        if seen.code == 1 and "memory" in seen.err:
            return (REFUSED, "") if expected == "bomb" else (CRASH, f"memory: {seen.err.strip()[:300]}")
        if seen.code != 2:
            return WRONG, f"exit code {seen.code}: {seen.err.strip()[:300]}"
        fault = sentence_fault(seen, names, one.names_file)
        if fault:
            return WRONG, f"unclear refusal: {fault}"
        return (WRONG, f"refused: {seen.err.strip()[:300]}") if expected == "same" else (REFUSED, "")
    if expected == "refused":
        return WRONG, f"accepted: {seen.out[:200]}"
    if one.done:
        return OTHER, ""
    if seen.err:
        return WRONG, f"accepted, but it said {seen.err[:300]!r}"
    if seen.data is None:
        return OTHER, ""
    return _of_data(seen, one, expected, good, stored_bytes)


def _of_data(seen: Seen, one: Format, expected: Expected, good: str | None, stored_bytes: int) -> Verdict:
    if seen.out:
        try:
            for line in seen.out.splitlines():
                json.loads(line)
        except ValueError:
            return WRONG, f"no JSON: {seen.out[:200]!r}"
    fault = contract_broken(seen.data, one.growth * stored_bytes + _ROOM_BYTES)
    if fault:
        return WRONG, f"accepted although {fault}"
    if fingerprint(seen.data) == good:
        return SAME, ""
    if expected == "same":
        return WRONG, "read as other data than the good file's"
    return OTHER, ""


def of_job(seen: Seen, result: Path, accepted: bool, names: list[str]) -> Verdict | None:
    """What is wrong with a reconstruction of the file; None when nothing is. ``accepted``: ``info`` read it."""
    if seen.crimes:
        return WRONG, f"recon did what it must not: {seen.crimes[0]}"
    if seen.code == 0:
        if not result.is_file():
            return WRONG, "recon was done but there is no result"
        return None
    if "Traceback" in seen.err or "Unexpected failure" in seen.err:
        return TRACEBACK, f"recon: {seen.err.strip()[:400]}"
    if seen.code != 2:
        kind = CRASH if "memory" in seen.err else WRONG
        return kind, f"recon: exit code {seen.code}: {seen.err.strip()[:300]}"
    # data that are read but do not fit the method are the request's fault, which names no file
    fault = sentence_fault(seen, names, named=not accepted)
    return (WRONG, f"recon: {fault}") if fault else None
