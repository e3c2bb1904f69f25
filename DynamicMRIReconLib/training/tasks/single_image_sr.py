"""Training of the single-image network on the same patches and with the same loss as the video network."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from DynamicMRIReconLib.networks.single_image import SingleImageSR
from DynamicMRIReconLib.networks.upsampler import DEVIATION
from DynamicMRIReconLib.training.tasks.cardiac_vsr import CardiacVsrTask, SuperResolutionOptions, target_frames


class SingleImageOptions(SuperResolutionOptions):
    """Options of the task ``single-image-sr``."""

    blocks: int = Field(default=16, ge=1, le=64)


class SingleImageTask(CardiacVsrTask):
    """See ``TrainingTask``; context and phase are not used."""

    name = "single-image-sr"
    options: type[BaseModel] = SingleImageOptions

    def build(self, options: Any) -> nn.Module:
        """A fresh network."""
        return SingleImageSR(**self.network_options(options))

    def network_options(self, options: Any) -> dict[str, Any]:
        """Arguments of the network."""
        return {name: getattr(options, name) for name in ("scale", "features", "blocks", "skip")}

    def loss(self, network: nn.Module, batch: dict[str, Tensor], options: Any, epoch: int) -> dict[str, Tensor]:
        """Mean absolute difference on standardised intensities."""
        found = network(target_frames(batch["coarse"], options).flatten(0, 1))
        error: Tensor = torch.mean((found - batch["fine"].flatten(0, 1)).abs()) / DEVIATION
        return {"loss": error}

    def validate(self, network: nn.Module, batch: dict[str, Tensor], options: Any) -> dict[str, Tensor]:
        """As the video network's."""
        found = network(target_frames(batch["coarse"], options).flatten(0, 1))
        return self._figures(found.unflatten(0, batch["fine"].shape[:2]), batch, options)


TASK = SingleImageTask()
