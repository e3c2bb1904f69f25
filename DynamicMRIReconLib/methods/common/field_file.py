"""A fitted representation as a file: safetensors, which holds numbers and nothing that could be run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.json_text import parsed_json
from DynamicMRIReconLib.methods.common.side_files import check_side_file
from DynamicMRIReconLib.models.tensor_files import read_tensors

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "dynamic-mri-recon st-inr 1"

State = dict[str, "Tensor"]


def check_target(path: Path) -> None:
    """Refuse to write to ``path`` before hours are spent on a fit; see ``check_side_file``."""
    check_side_file("save_model", path, ".safetensors", "fitted st-inr model", _is_model)


def write_fields(path: Path, settings: dict[str, Any], states: Sequence[State], kspace: KSpace) -> None:
    """Write the state of each slice's field, with what is needed to build it and to know what scan it describes."""
    from safetensors.torch import save_file

    from DynamicMRIReconLib.io.atomic import atomic_files

    tensors = {
        f"{index}.{name}": tensor.detach().cpu().contiguous()
        for index, state in enumerate(states)
        for name, tensor in state.items()
    }
    notes = {"format": FORMAT, "settings": json.dumps(settings), "scan": json.dumps(_scan(kspace))}
    with atomic_files([path], [".safetensors"]) as (temporary,):
        save_file(tensors, temporary, metadata=notes)


def read_fields(path: Path, kspace: KSpace) -> tuple[dict[str, Any], list[State]]:
    """The settings and the state of each slice that ``write_fields`` wrote for the scan ``kspace``.

    Raises
    ------
    InputError
        If the file is missing, damaged, no such file, or of another scan.
    """
    if not path.is_file():
        raise InputError(f"The model {path} does not exist: name a file that save_model wrote.")
    notes, tensors = read_tensors(path, "The model")
    if notes.get("format") != FORMAT:
        raise InputError(f"{path} is no fitted st-inr model: name a file that save_model wrote.")
    states: list[State] = [{} for _ in range(kspace.matrix[0])]
    try:
        settings, scan = parsed_json(notes["settings"]), parsed_json(notes["scan"])
        here = _scan(kspace)
        wrong = [name for name, value in here.items() if not np.allclose(scan[name], value, rtol=1e-6, atol=1e-9)]
        if not wrong:
            for name, tensor in tensors.items():
                index, _, rest = name.partition(".")
                states[int(index)][rest] = tensor
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"The model {path} is damaged: its notes or tensors are not those of a fit.") from error
    if wrong:
        raise InputError(
            f"The model {path} was fitted to another scan: its {' and '.join(wrong)} differ from the input's."
        )
    return settings, states


def _is_model(path: Path) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except (SafetensorError, OSError):
        return False


def _scan(kspace: KSpace) -> dict[str, Any]:
    """What makes a scan this one and no other, as numbers of fixed lengths but for the frames."""
    return {
        "matrix": list(kspace.matrix),
        "number of frames": [kspace.frames],
        "place": kspace.affine.ravel().tolist(),
        "first and last frame time": [float(kspace.times_s[0]), float(kspace.times_s[-1])],
    }
