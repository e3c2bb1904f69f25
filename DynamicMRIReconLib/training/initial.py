"""Start from weights that exist: to fine-tune a network, to grow a cascade, or to go on to another scale."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.models.files import read_network

#: name of a block's last layer
HEAD = ".head."
#: what ends a super-resolution network: another one for each scale
UPSAMPLER = "upsample."
#: what a video network has besides a single-image network
MEMORY = ("onwards.", "backwards.", "fusion.", "merge.")
#: the convolution behind a super-resolution network's residual blocks
_BODY_END = re.compile(r"body\.(\d+)\.weight")
_NUMBERED = re.compile(r"(.*?\.)(\d+)(\..*)")


def start_from(network: nn.Module, path: Path) -> None:
    """Give ``network`` the weights of the file ``path``.

    Where the file's cascade is shorter, every further block gets the weights of its last one, but zeros in its head:
    it knows what to look at and changes nothing at first, so that the longer cascade begins where the shorter one
    ended. A cascade of one block is trained in a fraction of the time.

    A video network that begins with a single-image network's weights keeps its fresh memories and fusion.
    An upsampler for another scale than the file's stays as it is: fresh. Further residual blocks of a super-resolution
    network are fresh, with zeros in their last layer: they, too, change nothing at first.

    Raises
    ------
    InputError
        If the file is missing or damaged, or the network differs in more than the length of its cascade.
    """
    known = read_network(path, None).state_dict()
    wanted = network.state_dict()
    if _shapes(UPSAMPLER, known) != _shapes(UPSAMPLER, wanted):
        known = {name: tensor for name, tensor in known.items() if not name.startswith(UPSAMPLER)}
        known |= {name: tensor for name, tensor in wanted.items() if name.startswith(UPSAMPLER)}
    if not any(name.startswith(MEMORY) for name in known):
        known |= {name: tensor for name, tensor in wanted.items() if name.startswith(MEMORY)}
    known = _deepened(known, wanted)
    found = {name: known[name] if name in known else _from_last_block(name, known) for name in wanted}
    wrong = [name for name, tensor in found.items() if tensor is None or tensor.shape != wanted[name].shape]
    if wrong:
        raise InputError(f"initial_weights {path} are those of another network: {wrong[0]} does not fit.")
    network.load_state_dict(found)


def _deepened(known: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """With as many residual blocks as ``wanted``, where it has more; the convolution behind them stays the last."""
    ends = [[int(match[1]) for name in tensors if (match := _BODY_END.fullmatch(name))] for tensors in (known, wanted)]
    if any(len(one) != 1 for one in ends) or ends[0][0] >= ends[1][0]:
        return known
    end, last = ends[0][0], ends[1][0]
    found = {name: tensor for name, tensor in known.items() if not name.startswith(f"body.{end}.")}
    found |= {f"body.{last}.{part}": known[f"body.{end}.{part}"] for part in ("weight", "bias")}
    for number in range(end, last):
        fresh = {name: tensor for name, tensor in wanted.items() if name.startswith(f"body.{number}.")}
        found |= {
            name: tensor * 0 if name.startswith(f"body.{number}.body.2.") else tensor for name, tensor in fresh.items()
        }
    return found


def _shapes(prefix: str, tensors: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items() if name.startswith(prefix)}


def _from_last_block(name: str, known: dict[str, Tensor]) -> Tensor | None:
    parts = _NUMBERED.fullmatch(name)
    if parts is None:
        return None
    for number in range(int(parts[2]) - 1, -1, -1):
        if (tensor := known.get(f"{parts[1]}{number}{parts[3]}")) is not None:
            return tensor * 0 if parts[3].startswith(HEAD) else tensor
    return None
