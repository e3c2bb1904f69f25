"""Training: checkpoints and configurations."""

from __future__ import annotations

import json
from pathlib import Path

from fuzz_parts.case import Fault, Format, Place
from fuzz_parts.made_files import PICKLES
from fuzz_parts.texts import JSON_TEXTS, replace_text
from hypothesis import strategies as st


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


def formats() -> list[Format]:
    """Both."""
    checkpoint = {"notes": Fault(_checkpoint_notes, JSON_TEXTS), "only a pickle": PICKLES}
    toml = {"text": Fault(replace_text, st.sampled_from(_TOML_TEXTS)), "all of it": Fault(_whole_file, JSON_TEXTS)}
    return [
        Format("checkpoint", _checkpoint, ("last.safetensors",), checkpoint, run=_read_checkpoint),
        Format("training TOML", _toml, ("net.toml",), toml, run=_train_words, weight=0.7, done="name a folder"),
    ]
