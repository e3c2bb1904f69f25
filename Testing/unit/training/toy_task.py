"""A tiny network that learns to remove noise: trains in milliseconds. Run as a program it is ``train toy ...``."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from DynamicMRIReconLib.models import architectures
from DynamicMRIReconLib.training import tasks
from DynamicMRIReconLib.training.clips import Clip


class ToyNetwork(nn.Module):
    """Two convolutions, batch normalisation between them where ``norm``."""

    def __init__(self, *, width: int = 4, norm: bool = True) -> None:
        super().__init__()
        middle = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), middle, nn.ReLU(), nn.Conv2d(width, 1, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class ToyOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = 4
    norm: bool = True
    frames: int = 1
    pause_s: float = 0.0
    nan_in_epoch: int = -1


class ToyTask:
    name, options, score = "toy", ToyOptions, "psnr"

    def clip_frames(self, options: ToyOptions) -> int:
        return options.frames

    def build(self, options: ToyOptions) -> nn.Module:
        return ToyNetwork(**self.network_options(options))

    def network_options(self, options: ToyOptions) -> dict[str, Any]:
        return {"width": options.width, "norm": options.norm}

    def sample(
        self, clip: Clip, random: np.random.Generator, options: ToyOptions, *, augment: bool
    ) -> dict[str, Tensor]:
        noise = torch.from_numpy(random.normal(0, 0.1, clip.frames[:1].shape).astype(np.float32))
        return {"noisy": clip.frames[:1] + noise, "target": clip.frames[:1]}

    def loss(self, network: nn.Module, batch: dict[str, Tensor], options: ToyOptions, epoch: int) -> dict[str, Tensor]:
        time.sleep(options.pause_s)
        # chance in the loss, so that a resumption must restore torch's generator as well
        error = network(batch["noisy"] + 0.01 * torch.randn(())) - batch["target"]
        loss = error.square().mean()
        return {"loss": loss * (float("nan") if epoch == options.nan_in_epoch else 1.0), "l1": error.abs().mean()}

    def validate(self, network: nn.Module, batch: dict[str, Tensor], options: ToyOptions) -> dict[str, Tensor]:
        error = (network(batch["noisy"]) - batch["target"]).square().mean((-3, -2, -1))
        return {"psnr": -10 * error.log10()}


TASK = ToyTask()


def install() -> None:
    """Make ``toy`` known to training and to files of weights."""
    architectures.ARCHITECTURES["toy"] = ("toy", "ToyNetwork")
    sys.modules["DynamicMRIReconLib.networks.toy"] = sys.modules[__name__]
    sys.modules["DynamicMRIReconLib.training.tasks.toy"] = sys.modules[__name__]
    known = tasks.names()
    tasks.names = lambda: (*known, "toy")


if __name__ == "__main__":
    from DynamicMRIReconLib.cli import main

    install()
    sys.exit(main(sys.argv[1:]))
