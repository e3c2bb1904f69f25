"""Images over time: NRRD."""

from __future__ import annotations

from pathlib import Path

from fuzz_parts.array_faults import hostile_texts
from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.made_files import OF_SERIES, PICKLES, odd_names, whole_series
from hypothesis import strategies as st

from DynamicMRIReconLib import io as files

_NRRD_LINES: list[tuple[str, str]] = [
    *(("type", value) for value in ("uint64", "block", "double", "string", "signed char", "", "float float")),
    *(("dimension", value) for value in ("0", "-1", "17", "3", "5", "x", "1e3", "99999999999")),
    *(("sizes", v) for v in ("9 7 2", "0 7 2 3", "-9 7 2 3", "9 7 2 3 1", "99999 99999 99999 99999", "9 7 2 x", "")),
    *(("encoding", value) for value in ("raw", "ascii", "hex", "bzip2", "gzip", "zip", "")),
    *(("endian", value) for value in ("big", "middle", "")),
    *(("kinds", v) for v in ("domain domain domain", "RGB-color domain domain list", "list list domain domain", "x")),
    *(("kinds", value) for value in ("complex domain domain list", "domain domain domain vector", "??? ??? ??? ???")),
    *(("space", value) for value in ("right-anterior-superior", "scanner-xyz", "4", "LPST", "", "x" * 9999)),
    ("space dimension", "3"),
    *(
        ("space directions", value)
        for value in (
            "(0,0,0) (0,1,0) (0,0,1) none",
            "(1,0,0) (1,0,0) (0,0,1) none",
            "(nan,0,0) (0,1,0) (0,0,1) none",
            "(1,0,0) (0,1,0) none none",
            "none none none none",
            "(inf,0,0) (0,1,0) (0,0,1) none",
            "(-1,0,0) (0,1,0) (0,0,1) none",
            "(1,0) (0,1) (0,0) none",
            "(1,0,0) (0,1,0) (0,0,1)",
            "(1,0,0,4) (0,1,0,4) (0,0,1,4) none",
            "garbage",
            "",
        )
    ),
    *(("space origin", value) for value in ("(nan,0,0)", "(0,0)", "(1e400,0,0)", "none", "0,0,0", "")),
    *(("axis 3 index values", v) for v in ("0 0 0", "2 1 0", "0 1", "a b c", "0 nan 2", "0 1 1e999", "-5 0 7", "")),
    *(("axis 3 index type", value) for value in ("text", "", "numeric ")),
    *(("units", value) for value in ('"" "" "" "fortnight"', '"" "" "" "ms"', '""', "x", '"" "" "" "')),
    *(("labels", value) for value in ('"" "" "" "temperature"', '"', '""')),
    *(("line skip", value) for value in ("-1", "5", "99999999999", "x")),
    *(("byte skip", value) for value in ("-1", "-2", "5", "99999999999", "x")),
    *(("axis mins", value) for value in ("nan nan nan 5", "x", "0")),
    *(("spacings", value) for value in ("0 0 0 0", "nan nan nan nan", "-1 -1 -1 -1", "1", "x x x x")),
    *(("thicknesses", value) for value in ("nan nan nan nan", "-4 -4 -4 -4", "1 2", "x", "NaN NaN 1e400 NaN")),
    *(("content", value) for value in ("\x1b[2J", "é" * 999)),
    *(("axis 3 item 0001 synthetic", value) for value in ("2", "maybe", "")),
    ("axis 3 item 99999999999999999999 synthetic", "1"),
    *(("data file", value) for value in ("/etc/passwd", "../../../etc/hostname", "LIST", "x%03d.raw 1 3 1", "")),
]


def _nrrd_line(place: Place, value: tuple[str, str]) -> None:
    key, text = value
    head, blank, data = place.given.read_bytes().partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.lower().startswith(f"{key}:".encode())]
    mark = ":=" if key.startswith("axis 3") else ": "
    place.given.write_bytes(b"\n".join([*lines, f"{key}{mark}{text}".encode()]) + blank + data)


def _nrrd_notes(place: Place, text: str) -> None:
    _nrrd_line(place, ("DynamicMRIRecon.metadata", ""))
    content = place.given.read_bytes()
    note = f"DynamicMRIRecon.metadata:={text}".encode("utf-8", "replace")
    place.given.write_bytes(content.replace(b"DynamicMRIRecon.metadata: ", note, 1))


def _nrrd_twice(place: Place, key: str) -> None:
    head, blank, data = place.given.read_bytes().partition(b"\n\n")
    lines = head.split(b"\n")
    lines += [line for line in lines if line.startswith(key.encode())]
    place.given.write_bytes(b"\n".join(lines) + blank + data)


def formats() -> list[Format]:
    """Sequences, volumes, and a header with its data beside it."""
    keys = ("type", "sizes", "kinds", "encoding", "space", "dimension", "axis 3 index values")
    faults = {
        "line": Fault(_nrrd_line, st.sampled_from(_NRRD_LINES)),
        "notes": Fault(_nrrd_notes, hostile_texts()),
        "line twice": Fault(_nrrd_twice, st.sampled_from(keys)),
        "only a pickle": PICKLES,
    }

    def detached(folder: Path) -> Path:
        whole = files.write(folder / "cine.seq.nrrd", whole_series())
        head, _, data = whole.read_bytes().partition(b"\n\n")
        whole.unlink()
        (folder / "cine.raw.gz").write_bytes(data)
        (folder / "cine.seq.nhdr").write_bytes(head + b"\ndata file: cine.raw.gz\n")
        return folder / "cine.seq.nhdr"

    def written(folder: Path, name: str) -> Path:
        return files.write(folder / name, whole_series())

    return [
        Format(
            *("NRRD .seq.nrrd", lambda f: written(f, "cine.seq.nrrd"), ("cine.seq.nrrd",)),
            {**faults, "name": odd_names(".seq.nrrd")},
            job=OF_SERIES,
        ),
        Format("NRRD .nrrd", lambda f: written(f, "cine.nrrd"), ("cine.nrrd",), faults, job=OF_SERIES),
        Format(
            *("NRRD .nhdr", detached, ("cine.seq.nhdr", "cine.seq.nhdr", "cine.raw.gz")),
            {"line": faults["line"], "notes": faults["notes"]},
            job=OF_SERIES,
        ),
    ]
