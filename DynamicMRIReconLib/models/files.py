"""Files of weights: safetensors with the name and the options of the network, and a hash that its card knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.json_text import parsed_json
from DynamicMRIReconLib.models import architectures
from DynamicMRIReconLib.models.card import ModelCard, read_card
from DynamicMRIReconLib.models.places import card_of, find
from DynamicMRIReconLib.models.tensor_files import read_tensors

if TYPE_CHECKING:
    from torch import nn

FORMAT = "dynamic-mri-recon model 1"


@dataclass(frozen=True)
class LoadedModel:
    """A network ready to use: in evaluation mode, on its device, float32; and its card."""

    network: nn.Module
    card: ModelCard
    path: Path


def write_network(path: Path, network: nn.Module, name: str, options: dict[str, Any], *, half: bool = False) -> None:
    """Write the weights of ``network``; with ``half`` in half precision. The file appears whole or not at all."""
    import torch
    from safetensors.torch import save_file

    from DynamicMRIReconLib.io.atomic import atomic_files

    tensors = {}
    for key, tensor in network.state_dict().items():
        kept = tensor.detach().cpu()
        tensors[key] = (kept.half() if half and kept.dtype == torch.float32 else kept).clone().contiguous()
    notes = {"format": FORMAT, "network": name, "options": json.dumps(options)}
    with atomic_files([path], [".safetensors"]) as (temporary,):
        save_file(tensors, temporary, metadata=notes)


def read_network(path: Path, network: str | None) -> nn.Module:
    """The network in a file that ``write_network`` wrote, float32, in evaluation mode, on the CPU.

    Raises
    ------
    InputError
        If the file is missing, damaged, something else, or another network than ``network``.
    """
    import torch

    if not path.is_file():
        raise InputError(f"The weights {path} do not exist: check the name.")
    notes, tensors = read_tensors(path, "The weights")
    if notes.get("format") != FORMAT:
        raise InputError(f"{path} holds no weights of this program: name a file that 'train' wrote.")
    if network is not None and notes.get("network") != network:
        raise InputError(f"{path.name} holds the network {notes.get('network')!r}; {network!r} is needed.")
    try:
        options = parsed_json(notes["options"])
        # without memory of its own: a file must not be able to ask for more than it holds
        with torch.device("meta"):
            made = architectures.build(notes["network"], options)
        made.load_state_dict(
            {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()},
            assign=True,
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{path.name}: {error}") from error
        raise InputError(f"{path} is damaged: its tensors are not those of the network it names.") from error
    return made.eval()


def load(id_or_path: str | Path, network: str | None = None, device: str = "cpu") -> LoadedModel:
    """A model that ships (by its name) or of the user (by its file), checked against its card.

    Parameters
    ----------
    id_or_path
        Name of a model in ``Resources/Models``, or a ``.safetensors`` file, its card beside it as ``.json``.
    network
        The network that is needed; None takes any.
    device
        Where to put it.

    Raises
    ------
    InputError
        If weights or card are missing or damaged, the weights are not those of the card, or another network.
    """
    from DynamicMRIReconLib.jobs.hashes import sha256_of

    path = find(id_or_path)
    card = read_card(card_of(path))
    if network is not None and card.network != network:
        raise InputError(f"{path.name} holds the network {card.network!r}; {network!r} is needed.")
    found = sha256_of(path)
    if found != card.sha256:
        raise InputError(
            f"The weights {path} are not those of their model card (SHA-256 {found[:12]}..., the card says "
            f"{card.sha256[:12]}...): fetch both again."
        )
    return LoadedModel(read_network(path, card.network).to(device), card, path)
