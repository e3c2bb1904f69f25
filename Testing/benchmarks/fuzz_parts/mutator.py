"""Bytes of a good file broken at random: cut, flipped, swapped, doubled, with lengths that lie."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

#: sizes that readers like to trust: none, negative when signed, and more than any memory
_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**48, 2**63 - 1, 2**64 - 1)
#: headers stand at the start, and are small
_HEAD = 512
_LARGEST_PIECE = 256

Random = np.random.Generator


def _place(content: bytearray, random: Random) -> int:
    """Any byte, the header's more often than their share."""
    end = min(len(content), _HEAD) if random.random() < 0.6 else len(content)
    return int(random.integers(0, max(end, 1)))


def _piece(content: bytearray, random: Random) -> slice:
    start = _place(content, random)
    return slice(start, min(len(content), start + int(random.integers(1, _LARGEST_PIECE))))


def _truncate(content: bytearray, random: Random) -> None:
    del content[_place(content, random) :]


def _flip_bits(content: bytearray, random: Random) -> None:
    for _ in range(int(random.integers(1, 9))):
        content[_place(content, random)] ^= 1 << int(random.integers(8))


def _set_bytes(content: bytearray, random: Random) -> None:
    for _ in range(int(random.integers(1, 5))):
        content[_place(content, random)] = int(random.choice((0, 0xFF, 0x20, 0x7F, random.integers(256))))


def _swap(content: bytearray, random: Random) -> None:
    first, second = _piece(content, random), _piece(content, random)
    size = min(first.stop - first.start, second.stop - second.start)
    a, b = slice(first.start, first.start + size), slice(second.start, second.start + size)
    content[a], content[b] = content[b], content[a]


def _double(content: bytearray, random: Random) -> None:
    piece = _piece(content, random)
    content[piece.stop : piece.stop] = content[piece]


def _remove(content: bytearray, random: Random) -> None:
    del content[_piece(content, random)]


def _zero(content: bytearray, random: Random) -> None:
    piece = _piece(content, random)
    content[piece] = bytes(piece.stop - piece.start)


def _number(content: bytearray, random: Random) -> None:
    """A length or size that lies, in either order of bytes."""
    width = int(random.choice((1, 2, 4, 8)))
    value = int(random.choice(np.array(_NUMBERS, np.uint64))) & (2 ** (8 * width) - 1)
    start = _place(content, random) // width * width if random.random() < 0.5 else _place(content, random)
    # cut at the end: a number there must not make the file longer
    number = value.to_bytes(width, "little" if random.random() < 0.7 else "big")[: len(content) - start]
    content[start : start + len(number)] = number


def _insert(content: bytearray, random: Random) -> None:
    start = _place(content, random)
    content[start:start] = random.bytes(int(random.integers(1, 64)))


def _append(content: bytearray, random: Random) -> None:
    content += random.bytes(int(random.integers(1, 600)))


def _digits(content: bytearray, random: Random) -> None:
    """Text headers: another number where one stands."""
    places = [i for i in range(min(len(content), 4096)) if 0x30 <= content[i] <= 0x39]
    if not places:
        _set_bytes(content, random)
        return
    start = end = int(random.choice(places))
    while end < len(content) and 0x30 <= content[end] <= 0x39:
        end += 1
    texts = (b"0", b"-1", b"nan", b"1e400", b"inf", b"99999999999999999999", b"2147483648", b"1.5", b"", b"0x7")
    content[start:end] = texts[int(random.integers(len(texts)))]


KINDS: dict[str, Callable[[bytearray, Random], None]] = {
    "cut short": _truncate,
    "bits flipped": _flip_bits,
    "bytes set": _set_bytes,
    "pieces swapped": _swap,
    "piece doubled": _double,
    "piece removed": _remove,
    "piece zeroed": _zero,
    "length that lies": _number,
    "bytes inserted": _insert,
    "bytes appended": _append,
    "number replaced": _digits,
}


def broken(content: bytes, random: Random) -> tuple[bytes, str]:
    """``content`` with one to three faults, and their names; never the same as before."""
    changed = bytearray(content)
    names: list[str] = []
    while len(names) < 3 and (not names or random.random() < 0.3 or bytes(changed) == content):
        if not changed:
            break
        name = str(random.choice(list(KINDS)))
        KINDS[name](changed, random)
        names.append(name)
    if bytes(changed) == content:
        changed += b"\0"
        names.append("bytes appended")
    return bytes(changed), ", ".join(names)
