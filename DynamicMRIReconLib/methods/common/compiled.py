"""Layers compiled for the machine they run on."""

from __future__ import annotations

import contextlib
import locale
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn


def compiled(layers: nn.Module, example: Tensor, warn: Callable[[str], None]) -> Callable[[Tensor], Tensor]:
    """``layers`` fused by ``torch.compile``: the same weights and numbers, fewer passes over the memory.

    It needs Triton on CUDA and a C++ compiler elsewhere, and half a minute; without them ``layers`` come back as they
    are, and ``warn`` is told why. ``example`` is an input as they will see it but for its length.
    """
    try:
        # the compiler itself uses parts of torch that torch calls old, and looks at gradients that are not there
        with torch.enable_grad(), warnings.catch_warnings(), _utf8_files():
            warnings.simplefilter("ignore")
            found = torch.compile(layers, dynamic=True)
            # no leaf, as features are none: otherwise it would be compiled again for them
            found(example.requires_grad_() * 1).sum().backward()
    # whatever stops the compiler, of Triton, of the system or of torch: the fit goes on without it
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        warn(f"The network could not be compiled here ({reason}); it goes on as it is.")
        return layers
    finally:
        layers.zero_grad()

    # no module, since that would become part of whatever it is given to
    def run(features: Tensor) -> Tensor:
        values: Tensor = found(features)
        return values

    return run


@contextlib.contextmanager
def _utf8_files() -> Iterator[None]:
    """Text files are UTF-8: the compiler reads its own as the locale says, and other libraries change that to C."""
    before = locale.setlocale(locale.LC_CTYPE)
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    try:
        yield
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
