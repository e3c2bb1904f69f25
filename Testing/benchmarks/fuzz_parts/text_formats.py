"""Sound, labels, jobs, records, weights with their cards, checkpoints and training configurations."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_parts.array_faults import hostile_texts
from fuzz_parts.array_formats import PICKLES, cartesian, npz_of, odd_names
from fuzz_parts.case import Fault, Format, Place
from hypothesis import strategies as st

from DynamicMRIReconLib import io
from DynamicMRIReconLib.data import ImageSeries

_GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "segments"
        xmin = 0
        xmax = 2.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.25
            text = "a"
        intervals [2]:
            xmin = 1.25
            xmax = 2.5
            text = "心 ""quoted"" b"
    item [2]:
        class = "TextTier"
        name = "marks"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 0.5
            mark = "here"
"""


def _wav(folder: Path) -> Path:
    from scipy.io import wavfile

    wavfile.write(folder / "voice.wav", 8000, (np.sin(np.arange(800) / 9) * 9000).astype(np.int16))
    return folder / "voice.wav"


def _wav_field(place: Place, value: tuple[int, str, int]) -> None:
    offset, kind, number = value
    content = bytearray(place.given.read_bytes())
    struct.pack_into(kind, content, offset, number)
    place.given.write_bytes(content)


_WAV_FIELDS = [
    *((20, "<H", value) for value in (0, 2, 3, 6, 7, 0xFFFE, 0xFFFF)),
    *((22, "<H", value) for value in (0, 2, 800, 65535)),
    *((24, "<I", value) for value in (0, 1, 99, 4294967295)),
    *((28, "<I", value) for value in (0, 4294967295)),
    *((32, "<H", value) for value in (0, 1, 3, 65535)),
    *((34, "<H", value) for value in (0, 1, 7, 8, 24, 32, 64, 65535)),
    *((40, "<I", value) for value in (0, 1, 1599, 4294967295, 2147483647)),
    *((4, "<I", value) for value in (0, 4294967295)),
    *((16, "<I", value) for value in (0, 14, 4294967295)),
]


def _read_wav(place: Place) -> None:
    from DynamicMRIReconLib.audio import read_wav

    read_wav(place.given)


def _read_textgrid(place: Place) -> None:
    from DynamicMRIReconLib.audio import read_textgrid

    read_textgrid(place.given)


def _replace_text(place: Place, value: tuple[str, str]) -> None:
    old, new = value
    text = place.given.read_text(encoding="utf-8")
    place.given.write_text(text.replace(old, new), encoding="utf-8")


_GRID_TEXTS = [
    *(("size = 2", f"size = {value}") for value in ("-1", "999999999999", "0", "1.5", "1e300", "x")),
    *(("xmax = 2.5", f"xmax = {value}") for value in ("-1", "0", "1e999", "NaN", "")),
    *(("1.25", value) for value in ("9", "-9", "--")),
    *(("<exists>", value) for value in ("<absent>", "", '"')),
    *(("IntervalTier", value) for value in ("TextTier", "OtherTier", "")),
    ('"here"', '"' * 9999),
    ('"a"', '"\x1b[2J"'),
    ("File type", "\ufeffFile type"),
]


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


def _job_words(place: Place) -> list[str]:
    return ["recon", "--job", str(place.given), "--events"]


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
    return _job_words(place)


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


def _checkpoint(folder: Path) -> Path:
    import torch

    from DynamicMRIReconLib.training import checkpoint

    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    checkpoint.save(
        folder / "last.safetensors", network, optimiser, torch.amp.GradScaler("cpu"), checkpoint.Progress(), {}
    )
    return folder / "last.safetensors"


def _read_checkpoint(place: Place) -> None:
    import torch

    from DynamicMRIReconLib.training import checkpoint

    tensors, notes = checkpoint.load(place.given)
    network = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(network.parameters())
    try:
        checkpoint.restore(tensors, notes, network, optimiser, torch.amp.GradScaler("cpu"))
    except checkpoint.InputError as error:
        # restoring is not told which file it is; the trainer's folder is on the command line
        raise checkpoint.InputError(f"{place.given.name}: {error}") from error


def _checkpoint_notes(place: Place, text: str) -> None:
    content = place.given.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"]["notes"] = text.encode("utf-8", "replace").decode()
    head = json.dumps(header).encode()
    place.given.write_bytes(len(head).to_bytes(8, "little") + head + content[8 + size :])


_TOML = """seed = 1
steps = 100
batch_size = 2
[data]
matrix = [64]
[[data.phantoms]]
name = "vocal-tract"
weight = 1.0
[optimiser]
name = "adam"
learning_rate = 1e-4
[schedule]
name = "step"
drop_at_epochs = [5, 20]
[card]
title = "x"
"""


def _toml(folder: Path) -> Path:
    (folder / "out").write_text("in the way", encoding="utf-8")
    (folder / "net.toml").write_text(_TOML, encoding="utf-8")
    return folder / "net.toml"


def _train_words(place: Place) -> list[str]:
    out = str(place.folder / "out")
    return ["train", "ifnet", "--device", "cpu", "--out", out, "--config", str(place.given)]


def _whole_file(place: Place, text: str) -> None:
    place.given.write_bytes(text.encode("utf-8", "surrogatepass"))


_TOML_TEXTS = [
    *(("steps = 100", f"steps = {value}") for value in ("0", "-1", "nan", "inf", "1e999", '"x"', "9" * 5000, "[]")),
    *(("[64]", value) for value in ("[0]", "[999999]", "7", "[" * 5000, "[" * 1000 + "]" * 1000, "[[64]]", "[nan]")),
    *(("1e-4", value) for value in ("nan", "inf", "-1", "0", "1e999")),
    *(('"adam"', value) for value in ('"x"', "7", '"\\u001b[2J"', "'''" + "x" * 5000 + "'''")),
    *(("[5, 20]", value) for value in ("[]", "[0]", '["x"]', "[1e999]")),
    ("[card]", "[card.ranges]"),
    ("[card]", "[options]\nx = 1\n[card]"),
    ("[card]", ".".join(["a"] * 3000) + " = 1"),
    ("seed = 1", "seed = 1\nseed = 2"),
    ("seed = 1", 'initial_weights = "/etc/passwd"'),
]
_JSON_TEXTS = st.one_of(hostile_texts(), st.sampled_from(["\ufeff{}", "\ud800", "", "\0"]))


def formats() -> list[Format]:
    """All of them."""
    grid_texts = st.one_of(st.sampled_from(_GRID_TEXTS))

    def textgrid(folder: Path) -> Path:
        (folder / "voice.TextGrid").write_text(_GRID, encoding="utf-8")
        return folder / "voice.TextGrid"

    wav = {
        "field": Fault(_wav_field, st.sampled_from(_WAV_FIELDS)),
        "only a pickle": PICKLES,
        "name": odd_names(".wav"),
    }
    grid = {"text": Fault(_replace_text, grid_texts), "only a pickle": PICKLES, "name": odd_names(".TextGrid")}
    job = {
        "entry": Fault(_entry("job.json"), st.sampled_from(_JOB_ENTRIES)),
        "text": Fault(_whole("job.json"), _JSON_TEXTS),
    }
    record = {
        "entry": Fault(_entry("provenance.json"), st.sampled_from(_RECORD_ENTRIES)),
        "text": Fault(_whole("provenance.json"), _JSON_TEXTS),
    }
    weights = {
        "header": Fault(_weights_header, st.sampled_from(_WEIGHT_CHANGES)),
        "card": Fault(_card_entry, st.sampled_from(_CARD_ENTRIES)),
        "card text": Fault(_card_text, _JSON_TEXTS, "refused"),
        "a pickle": Fault(_pickled_weights, expected="refused"),
    }
    checkpoint = {"notes": Fault(_checkpoint_notes, _JSON_TEXTS), "only a pickle": PICKLES}
    toml = {"text": Fault(_replace_text, st.sampled_from(_TOML_TEXTS)), "all of it": Fault(_whole_file, _JSON_TEXTS)}
    return [
        Format("wav", _wav, ("voice.wav",), wav, run=_read_wav),
        Format("TextGrid", textgrid, ("voice.TextGrid",), grid, run=_read_textgrid),
        Format(
            "job file", _job_folder, ("job/job.json",), job, run=_job_words, runs_job=True, names_file=False, weight=0.5
        ),
        Format(
            "record and events",
            _record_folder,
            ("job/provenance.json", "job/events.jsonl"),
            record,
            run=_job_words,
            runs_job=True,
            weight=0.3,
        ),
        Format(
            "weights and card",
            _weights,
            ("job/net.safetensors", "job/net.json"),
            weights,
            run=_weight_words,
            runs_job=True,
            weight=0.5,
        ),
        Format("checkpoint", _checkpoint, ("last.safetensors",), checkpoint, run=_read_checkpoint),
        Format("training TOML", _toml, ("net.toml",), toml, run=_train_words, weight=0.7, done="name a folder"),
    ]
