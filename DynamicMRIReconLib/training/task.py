"""What the training loop needs to know about a network: everything else is the same for all of them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel
from torch import Tensor, nn

from DynamicMRIReconLib.training.clips import Clip


class TrainingTask(Protocol):
    """One network's part of its training; an instance is called ``TASK`` in ``training/tasks/NAME.py``.

    Attributes
    ----------
    name
        Of the network, as in ``models.architectures``.
    options
        pydantic model, ``extra="forbid"``: options of the network, weights of the losses, sampling, length of a clip.
        A configuration file's ``[options]`` is one of these.
    score
        Name of the figure of ``validate`` that is to become as large as possible; it chooses the best checkpoint.
    """

    name: str
    options: type[BaseModel]
    score: str

    def clip_frames(self, options: Any) -> int:
        """Number of consecutive frames wanted in each clip."""
        ...

    def build(self, options: Any) -> nn.Module:
        """A fresh network, its weights drawn with torch's global random numbers."""
        ...

    def network_options(self, options: Any) -> dict[str, Any]:
        """JSON-able options from which ``models.architectures.build`` makes the same network without training."""
        ...

    def sample(self, clip: Clip, random: np.random.Generator, options: Any, *, augment: bool) -> dict[str, Tensor]:
        """One training or validation item, without a batch axis; all chance comes from ``random``."""
        ...

    def loss(self, network: nn.Module, batch: dict[str, Tensor], options: Any, epoch: int) -> dict[str, Tensor]:
        """``loss``, a scalar to be minimised, and any other scalars, which are logged. ``network`` may be wrapped."""
        ...

    def validate(self, network: nn.Module, batch: dict[str, Tensor], options: Any) -> dict[str, Tensor]:
        """Figures of merit, each (B,), one for each item; the loop takes their means."""
        ...
