"""Job folders: the request, and the record of an earlier run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.made_files import cartesian, npz_of
from fuzz_parts.texts import JSON_TEXTS
from hypothesis import strategies as st


def _job_folder(folder: Path) -> Path:
    job = folder / "job"
    job.mkdir()
    npz_of(job / "scan.npz", cartesian())
    entries = {"version": 1, "method": "gridding", "inputs": [{"path": "scan.npz"}], "device": "cpu", "seed": 3}
    more = {"read": {"shots_per_frame": None}, "output": "out.npz", "parameters": {}, "frames": [0, 2]}
    (job / "job.json").write_text(json.dumps({**entries, **more}), encoding="utf-8")
    return job


def _record_folder(folder: Path) -> Path:
    """A job that ran before: its record lies there."""
    job = _job_folder(folder)
    record = {"output": {"path": "out.npz", "sha256": "0" * 64, "parts": {}}, "method": "gridding"}
    (job / "provenance.json").write_text(json.dumps(record), encoding="utf-8")
    event = {"event": "started", "time": 1.0, "method": "gridding", "device": "cpu", "pid": 1}
    (job / "events.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
    return job


def _entry(file: str) -> Any:
    def apply(place: Place, value: tuple[str, Any]) -> None:
        path = place.given / file
        entries = json.loads(path.read_text(encoding="utf-8"))
        entries[value[0]] = value[1]
        path.write_text(json.dumps(entries), encoding="utf-8")

    return apply


def _whole(file: str) -> Any:
    def apply(place: Place, text: str) -> None:
        (place.given / file).write_bytes(text.encode("utf-8", "surrogatepass"))

    return apply


_JOB_ENTRIES: list[tuple[str, Any]] = [
    *(("version", value) for value in (0, 2, "1", None, 1e999)),
    *(("method", value) for value in ("", "nothing", "../x", 7, None, "tv\x1b[2J", "a" * 9999)),
    *(("preset", value) for value in ("none", 3, "", "fast")),
    *(("parameters", v) for v in ([], {"x": 1}, {"__class__": {}}, {"iterations": 1e308}, {"a": {"b": [[[[]]]]}})),
    *(("inputs", v) for v in ([], "scan.npz", [7], [{"path": ""}], [{"path": "../../../etc/passwd"}], [{}], ["\0"])),
    *(("inputs", [{"path": name}]) for name in ("/dev/zero", "/dev/stdin", "job.json", ".", "~nobody/x", "a" * 5000)),
    *(("inputs", [{"path": "scan.npz", "sha256": value}]) for value in ("0" * 64, "x", 7)),
    *(("output", v) for v in ("scan.npz", "job.json", "../../../x/y.npz", "/dev/null", "out.xyz", "lock", "\0.npz", 7)),
    *(("output", v) for v in ("events.jsonl", "result.seq.nrrd", "/etc/x.npz.", "a" * 5000 + ".npz", "", "~/../../x")),
    *(("frames", value) for value in ([0, 0], [5, 9], [-1, 1], [0, 1e9], [0], "all", [0, 99999999999999999999])),
    *(("seed", value) for value in (-1, 2**64, 1.5, "x", None)),
    *(("device", value) for value in ("cuda:99", "x", "", 7, "cpu; rm")),
    *(("read", v) for v in ({"axes": "x"}, {"axes": 7}, {"shots_per_frame": 0}, {"a": 1}, {"variable": "\x1b[2J"})),
    *(("simulate", value) for value in ({}, {"x": 1}, {"matrix": 10**9}, [])),
    *(("reference", value) for value in ("scan.npz", "nothing", {"path": "job.json"})),
    *(("trajectory", value) for value in ("scan.npz", "job.json", 7)),
    *(("coil_maps", value) for value in ("scan.npz", "nothing.npy")),
    *(("masks", value) for value in (["scan.npz"], "x")),
    *(("transforms", value) for value in (True, "yes")),
    ("surprise", 1),
]
_RECORD_ENTRIES: list[tuple[str, Any]] = [
    *(
        ("output", v)
        for v in (None, [], 7, "x", {"path": 7}, {"path": "x", "parts": 7}, {"parts": [1]}, {"parts": {"a": 1}})
    ),
    *(("output", {"transforms": value}) for value in (7, [7], ["/dev/zero"], [None], "x", ["\0"])),
]


def job_words(place: Place) -> list[str]:
    """How the command line runs the job of a case."""
    return ["recon", "--job", str(place.given), "--events"]


def formats() -> list[Format]:
    """Both."""
    job = {
        "entry": Fault(_entry("job.json"), st.sampled_from(_JOB_ENTRIES)),
        "text": Fault(_whole("job.json"), JSON_TEXTS),
    }
    record = {
        "entry": Fault(_entry("provenance.json"), st.sampled_from(_RECORD_ENTRIES)),
        "text": Fault(_whole("provenance.json"), JSON_TEXTS),
    }
    return [
        Format(
            "job file", _job_folder, ("job/job.json",), job, run=job_words, runs_job=True, names_file=False, weight=0.5
        ),
        Format(
            "record and events",
            _record_folder,
            ("job/provenance.json", "job/events.jsonl"),
            record,
            run=job_words,
            runs_job=True,
            weight=0.3,
        ),
    ]
