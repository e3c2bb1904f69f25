"""Training of the 3D CNN: cines with other lines missing in each frame in, sharp cines out."""

from __future__ import annotations

import logging
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from DynamicMRIReconLib.networks.cnn3d import MOST_ITERATIONS, Cnn3d
from DynamicMRIReconLib.networks.consistency import shared
from DynamicMRIReconLib.operators.fourier import fftc, ifft2c, ifftc
from DynamicMRIReconLib.training.augmentation import flipped_and_turned, random_phase
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.config import Interval
from DynamicMRIReconLib.training.figures import psnr_db, ssim
from DynamicMRIReconLib.training.losses.edge import edge_loss
from DynamicMRIReconLib.training.losses.perceptual import perceptual_loss
from DynamicMRIReconLib.training.undersampling import KtUndersampling

logger = logging.getLogger(__name__)

#: relu2_2 of VGG16
PERCEPTUAL_LAYERS = (7,)


class Cnn3dOptions(BaseModel):
    """Options of the task ``cnn3d``; the defaults are the published simple network and its loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["simple", "complex"] = "simple"
    iterations: int = Field(default=0, ge=0, le=MOST_ITERATIONS, description="0: no data consistency")
    features: int = Field(default=0, ge=0, le=256, description="0: the published number, 64 or 32")
    batch_norm: bool = False
    dropout: float = Field(default=0.0, ge=0, lt=1)
    pool_time: bool = False
    learned_resample: bool = False
    sharing: bool = Field(default=False, description="start with gaps filled from other frames, not with zeros")
    demodulate: bool = Field(default=False, description="take the phase of the time average off before each network")
    noise_weight: float | None = Field(default=None, gt=0, description="of samples in data consistency; none: exact")
    checkpointing: bool = Field(default=False, description="less memory, a third more time")
    frames: int = Field(default=20, ge=1, le=1000, description="length of a clip")
    learned_frames: int = Field(
        default=0, ge=0, le=1000, description="of which so many, in a row, go through the network; 0: all"
    )
    learned_columns: int = Field(
        default=0, ge=0, le=1024, description="so many columns of the image go through the network; 0: all"
    )
    sampling: KtUndersampling = Field(default_factory=KtUndersampling)
    phase: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="standard deviation of the random phase maps over the image, rad; 0 for real images",
    )
    intensity: Interval = Field(
        default=(0.8, 1.2), description="range of the random factor on training clips, whose brightest 0.1 % are 1"
    )
    orientations: bool = Field(default=True, description="train on mirror images and quarter turns too")
    compared: Literal["magnitude", "complex"] = "magnitude"
    edge_weight: float = Field(default=0.0, ge=0, lt=1)
    edge_from_epoch: int = Field(default=100, ge=0, description="epochs without the edge loss at the beginning")
    perceptual_weight: float = Field(default=0.0, ge=0, lt=1)
    perceptual_file: str = Field(
        default="", description="safetensors file of VGG16 weights; without it there is no such term"
    )

    @model_validator(mode="after")
    def _fits(self) -> Cnn3dOptions:
        if self.edge_weight + self.perceptual_weight >= 1:
            raise ValueError("edge_weight and perceptual_weight must leave something to the mean squared error")
        Cnn3d(**network_options(self))
        return self


class Cnn3dTask:
    """See ``TrainingTask``. Clips of any size; the phase is random too, since measured images are complex."""

    name = "cnn3d"
    options = Cnn3dOptions
    score = "psnr"

    def clip_frames(self, options: Cnn3dOptions) -> int:
        """As ``options`` says."""
        return options.frames

    def build(self, options: Cnn3dOptions) -> nn.Module:
        """A fresh network."""
        if options.perceptual_weight and not options.perceptual_file:
            logger.warning("No file of VGG16 weights is named: training without the perceptual loss.")
        return Cnn3d(**self.network_options(options), checkpointing=options.checkpointing)

    def network_options(self, options: Cnn3dOptions) -> dict[str, Any]:
        """Arguments of ``Cnn3d``."""
        return network_options(options)

    def sample(
        self, clip: Clip, random: np.random.Generator, options: Cnn3dOptions, *, augment: bool
    ) -> dict[str, Tensor]:
        """``samples`` (T, 1, ky, kx), ``mask`` (T, ky, kx), ``target`` and ``start`` (T, y, x) complex."""
        frames = clip.frames
        if augment and options.orientations:
            frames = flipped_and_turned(frames, random)
        if augment:
            frames = frames * random.uniform(*options.intensity)
        movie = frames.to(torch.complex64)
        shape = (movie.shape[0], movie.shape[1], movie.shape[2])
        if options.phase:
            movie = movie * random_phase(shape[1:], random, options.phase)
        mask = options.sampling.draw(shape, random)
        samples = options.sampling.measure(movie, mask, random, augment=augment)
        known = shared(samples[None], mask[None])[0] if options.sharing else samples
        item = {"samples": samples, "mask": mask, "target": movie, "start": ifft2c(known)[:, 0]}
        if 0 < options.learned_frames < len(movie):
            first = int(random.integers(len(movie) - options.learned_frames + 1))
            item = {name: value[first : first + options.learned_frames] for name, value in item.items()}
        if augment and 0 < options.learned_columns < shape[2]:
            item = _columns(item, int(random.integers(shape[2] - options.learned_columns + 1)), options.learned_columns)
        return item

    def loss(
        self, network: nn.Module, batch: dict[str, Tensor], options: Cnn3dOptions, epoch: int
    ) -> dict[str, Tensor]:
        """``(1 - a - b) MSE + a edges + b features`` of the last movie; a is 0 before ``edge_from_epoch``."""
        movie, target = network(batch["samples"], batch["mask"], start=batch["start"])[-1], batch["target"]
        found, wanted = (frames.abs().flatten(0, 1)[:, None] for frames in (movie, target))
        difference = movie - target if options.compared == "complex" else found - wanted
        mse = difference.abs().square().mean()
        terms = {"mse": mse.detach()}
        loss, left = torch.zeros_like(mse), 1.0
        if options.edge_weight and epoch >= options.edge_from_epoch:
            edges = edge_loss(found, wanted)
            loss, left = loss + options.edge_weight * edges, left - options.edge_weight
            terms["edge"] = edges.detach()
        if options.perceptual_weight and options.perceptual_file:
            compare = perceptual_loss(
                options.perceptual_file, str(movie.device), normalise=True, layers=PERCEPTUAL_LAYERS
            )
            features = compare(found, wanted)
            loss, left = loss + options.perceptual_weight * features, left - options.perceptual_weight
            terms["perceptual"] = features.detach()
        return {"loss": loss + left * mse, **terms}

    def validate(self, network: nn.Module, batch: dict[str, Tensor], options: Cnn3dOptions) -> dict[str, Tensor]:
        """PSNR (dB, of the clip, data range 1) and SSIM (mean over frames) of magnitudes; of start and zero-filled."""
        movies = network(batch["samples"], batch["mask"], start=batch["start"])
        compared = {"": movies[-1], "start_": movies[0], "zero_filled_": ifft2c(batch["samples"])[:, :, 0]}
        return {
            f"{prefix}{name}": value
            for prefix, movie in compared.items()
            for name, value in figures_of(movie, batch["target"]).items()
        }


def _columns(item: dict[str, Tensor], first: int, count: int) -> dict[str, Tensor]:
    """``count`` columns of a clip whose lines are whole: each column is measured as if it were alone."""
    chosen = slice(first, first + count)
    lines = fftc(ifftc(item["samples"], (-1,))[..., chosen], (-1,))
    cut = {name: item[name][..., chosen].contiguous() for name in ("mask", "target", "start")}
    return {"samples": torch.where(cut["mask"][:, None], lines, 0), **cut}


def figures_of(movies: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """``psnr`` and ``ssim`` (B,) of the magnitudes of (B, T, y, x), clipped to [0, 1]."""
    found, wanted = (x.abs().clamp(0, 1) for x in (movies, targets))
    each = ssim(found.flatten(0, 1)[:, None], wanted.flatten(0, 1)[:, None])
    return {"psnr": psnr_db(found, wanted), "ssim": each.reshape(found.shape[:2]).mean(1)}


def network_options(options: Cnn3dOptions) -> dict[str, Any]:
    """JSON-able arguments of ``Cnn3d``, but for what only matters in training."""
    names = {
        "kind",
        "iterations",
        "features",
        "batch_norm",
        "dropout",
        "pool_time",
        "learned_resample",
        "sharing",
        "demodulate",
        "noise_weight",
    }
    return options.model_dump(include=names)


TASK = Cnn3dTask()
