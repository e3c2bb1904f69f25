"""Networks of strangers: weights with their cards."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.job_formats import job_words
from fuzz_parts.texts import JSON_TEXTS
from hypothesis import strategies as st

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries


def _weights(folder: Path) -> Path:
    """A job with a tiny network of the user's own."""
    import torch

    from DynamicMRIReconLib.models import architectures
    from DynamicMRIReconLib.models.card import HONESTY
    from DynamicMRIReconLib.models.files import write_network

    job = folder / "job"
    job.mkdir()
    options = {"widths": [4, 4, 4], "context": 2}
    torch.manual_seed(0)
    write_network(job / "net.safetensors", architectures.build("ifnet", options), "ifnet", options)
    card = {"version": 1, "title": "tiny", "network": "ifnet", "sha256": "", "trained_on": "nothing", "licence": "none"}
    card |= {"intended_use": "tests", "command": "none", "date": "2026-01-01", "warning": HONESTY}
    (job / "net.json").write_text(json.dumps(card), encoding="utf-8")
    _rehash(job)
    array = np.random.default_rng(0).random((2, 1, 16, 16), np.float32)
    io.write(job / "cine.npz", ImageSeries(array, np.eye(4), np.array([0.0, 0.1])))
    entries = {"method": "ifnet", "inputs": ["cine.npz"], "device": "cpu"}
    parameters = {"weights": str(job / "net.safetensors")}
    (job / "job.json").write_text(json.dumps({**entries, "parameters": parameters}), encoding="utf-8")
    return job


def _weight_words(place: Place) -> list[str]:
    """The job names the weights by their whole path, which is another for each case."""
    path = place.given / "job.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries["parameters"]["weights"] = str(place.given / "net.safetensors")
    path.write_text(json.dumps(entries), encoding="utf-8")
    return job_words(place)


def _rehash(job: Path) -> None:
    """The card of a stranger fits his weights."""
    import hashlib

    card = json.loads((job / "net.json").read_text(encoding="utf-8"))
    card["sha256"] = hashlib.sha256((job / "net.safetensors").read_bytes()).hexdigest()
    (job / "net.json").write_text(json.dumps(card), encoding="utf-8")


def _weights_header(place: Place, value: tuple[str, Any]) -> None:
    path = place.given / "net.safetensors"
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header, tensors = json.loads(content[8 : 8 + size]), content[8 + size :]
    what, new = value
    name = next(key for key in header if key != "__metadata__")
    if what in ("format", "network", "options"):
        header["__metadata__"][what] = new
    elif what == "size":
        text = json.dumps(header).encode()
        path.write_bytes(int(new).to_bytes(8, "little") + text + tensors)
        _rehash(place.given)
        return
    elif what == "text":
        text = str(new).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + tensors)
        _rehash(place.given)
        return
    elif what == "nan":
        tensors = struct.pack("<f", float("nan")) * (len(tensors) // 4)
    else:
        header[name][what] = new
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + tensors)
    _rehash(place.given)


_WEIGHT_CHANGES: list[tuple[str, Any]] = [
    *(("format", value) for value in ("", "other", "x" * 5000)),
    *(("network", value) for value in ("miccan", "nothing", "__import__", "\x1b[2J")),
    *(
        ("options", value)
        for value in (
            *("[", "null", "7", "[]", '"x"', "[" * 100_000, '{"widths": [100000, 100000, 100000]}'),
            *('{"widths": 7}', '{"widths": []}', '{"widths": ["x"]}', '{"widths": [0, 0, 0]}', '{"channels": -1}'),
            *('{"context": 100000000}', '{"context": null}', '{"x": 1}', '{"channels": 1e9}', '{"widths": [4, 4]}'),
            *('{"channels": ' + "9" * 30 + "}", '{"widths": [4, 4, 4], "context": 3}', '{"teacher": true}'),
        )
    ),
    *(("dtype", value) for value in ("F64", "I8", "BOOL", "F8_E4M3", "X", "BF16", "F16")),
    *(("shape", value) for value in ([], [0], [10**9, 10**9], [-1], "x", [2**63])),
    *(("data_offsets", value) for value in ([0, 0], [0, 2**63], [5, 1], [-1, 4], "x")),
    *(("size", value) for value in (0, 1, 2**40, 2**64 - 1, 100_000_000)),
    *(("text", value) for value in ("{}", "[]", "{", "[" * 100_000, '{"a": {}}', "")),
    ("nan", 0),
]


def _card_entry(place: Place, value: tuple[str, Any]) -> None:
    path = place.given / "net.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries[value[0]] = value[1]
    path.write_text(json.dumps(entries), encoding="utf-8")


_CARD_ENTRIES: list[tuple[str, Any]] = [
    *(("network", value) for value in ("miccan", "x", 7, "")),
    *(("sha256", value) for value in ("0" * 64, "x", 7)),
    *(
        ("ranges", v)
        for v in (7, {"matrix": 1}, {"matrix": {"low": 1e999, "high": 1, "meaning": "x"}}, {"x" * 999: {}})
    ),
    *(("title", value) for value in ("", "\x1b[2J\x07", "x" * 9999, 7)),
    *(("metrics", value) for value in ([1], {}, [{"name": "x", "data": "y", "value": 1e999}])),
    *(("date", value) for value in ("yesterday", "9999-99-99", 7)),
    *(("warning", value) for value in ("Fit for diagnosis.", "")),
    ("surprise", [[[[[]]]]]),
]


def _pickled_weights(place: Place, _: Any) -> None:
    """What torch.save writes, under the name of the other format."""
    import torch

    torch.save({"a": torch.zeros(3)}, place.given / "net.safetensors")
    _rehash(place.given)


def _card_text(place: Place, text: str) -> None:
    (place.given / "net.json").write_bytes(text.encode("utf-8", "surrogatepass"))


def formats() -> list[Format]:
    """One."""
    weights = {
        "header": Fault(_weights_header, st.sampled_from(_WEIGHT_CHANGES)),
        "card": Fault(_card_entry, st.sampled_from(_CARD_ENTRIES)),
        "card text": Fault(_card_text, JSON_TEXTS, "refused"),
        "a pickle": Fault(_pickled_weights, expected="refused"),
    }
    return [
        Format(
            "weights and card",
            _weights,
            ("job/net.safetensors", "job/net.json"),
            weights,
            run=_weight_words,
            runs_job=True,
            weight=0.5,
        ),
    ]
