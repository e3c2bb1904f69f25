"""Which class builds which network: name -> module and function of ``network_options``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from DynamicMRIReconLib.errors import InputError

if TYPE_CHECKING:
    from torch import nn

#: name of the network -> (module of ``networks``, class built with the network options as keyword arguments)
ARCHITECTURES: dict[str, tuple[str, str]] = {
    "cardiac-vsr": ("cardiac_vsr", "CardiacVSR"),
    "cnn3d": ("cnn3d", "Cnn3d"),
    "ifnet": ("ifnet", "IFNet"),
    "miccan": ("miccan", "Miccan"),
    "single-image-sr": ("single_image", "SingleImageSR"),
}


def build(network: str, options: dict[str, Any]) -> nn.Module:
    """The network ``network`` with fresh weights.

    Raises
    ------
    InputError
        If there is no such network, or it does not take these options.
    """
    if network not in ARCHITECTURES:
        raise InputError(f"There is no network {network!r}: choose one of {', '.join(ARCHITECTURES) or 'none'}.")
    module, name = ARCHITECTURES[network]
    make = getattr(importlib.import_module(f"DynamicMRIReconLib.networks.{module}"), name)
    try:
        made: nn.Module = make(**options)
    except (TypeError, ValueError) as error:
        shown = str(options)[:200]
        raise InputError(f"The network {network} cannot be built with the options {shown}: {error}.") from error
    return made
