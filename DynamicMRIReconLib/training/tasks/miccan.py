"""Training of MICCAN: undersampled frames in, sharp frames out."""

from __future__ import annotations

import logging
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from DynamicMRIReconLib.networks.miccan import Miccan
from DynamicMRIReconLib.training.augmentation import flipped_and_turned, random_phase
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.config import Interval
from DynamicMRIReconLib.training.figures import psnr_db, ssim
from DynamicMRIReconLib.training.known_motion import moved, smooth_displacement
from DynamicMRIReconLib.training.losses.perceptual import perceptual_loss
from DynamicMRIReconLib.training.undersampling import Undersampling

logger = logging.getLogger(__name__)


class MiccanOptions(BaseModel):
    """Options of the task ``miccan``; the defaults are the published network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: int = Field(default=5, ge=1, le=20)
    features: int = Field(default=32, ge=8, le=256, multiple_of=8)
    attention: bool = True
    long_skip: bool = True
    sampling: Undersampling = Field(default_factory=Undersampling)
    phase: float = Field(
        default=1.0,
        ge=0,
        le=10,
        description="standard deviation of the random phase maps over the image, rad; 0 for real images",
    )
    intensity: Interval = Field(
        default=(0.7, 1.3), description="range of the random factor on training images, whose brightest 0.1 % are 1"
    )
    initial: Literal["published", "he"] = Field(
        default="published", description="initial weights: N(0, 0.02), or He's rule, which learns faster at first"
    )
    orientations: bool = Field(default=True, description="train on mirror images and quarter turns too")
    deformed_voxels: float = Field(
        default=0.0,
        ge=0,
        description="largest displacement of the random smooth deformations of half the training images; 0 for none",
    )
    compared: Literal["magnitude", "complex"] = "magnitude"
    perceptual_weight: float = Field(default=0.1, ge=0)
    perceptual_file: str = Field(
        default="", description="safetensors file of VGG16 weights; without it there is no such term"
    )
    perceptual_normalise: bool = False


class MiccanTask:
    """See ``TrainingTask``. Frames of any size; the phase is random too, since measured images are complex."""

    name = "miccan"
    options = MiccanOptions
    score = "psnr"

    def clip_frames(self, options: MiccanOptions) -> int:
        """Every frame is reconstructed on its own."""
        return 1

    def build(self, options: MiccanOptions) -> nn.Module:
        """A fresh network."""
        if options.perceptual_weight and not options.perceptual_file:
            logger.warning("No file of VGG16 weights is named: training with the L1 loss alone.")
        network = Miccan(**self.network_options(options))
        if options.initial == "he":
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight)
        return network

    def network_options(self, options: MiccanOptions) -> dict[str, Any]:
        """Arguments of ``Miccan``."""
        return options.model_dump(include={"blocks", "features", "attention", "long_skip"})

    def sample(
        self, clip: Clip, random: np.random.Generator, options: MiccanOptions, *, augment: bool
    ) -> dict[str, Tensor]:
        """``samples`` (1, ky, kx), ``mask`` (ky, kx), ``target`` (y, x) complex."""
        frame = clip.frames[random.integers(len(clip.frames))][None]
        if augment and options.orientations:
            frame = flipped_and_turned(frame, random)
        if augment and options.deformed_voxels and random.random() < 0.5:
            largest = random.uniform(0, options.deformed_voxels)
            frame = moved(frame, smooth_displacement((frame.shape[1], frame.shape[2]), random, largest))
        if augment:
            frame = frame * random.uniform(*options.intensity)
        image = frame[0].to(torch.complex64)
        shape = (image.shape[0], image.shape[1])
        if options.phase:
            image = image * random_phase(shape, random, options.phase)
        mask = options.sampling.draw(shape, random, augment=augment)
        samples = options.sampling.measure(image, mask, random, augment=augment)
        return {"samples": samples, "mask": mask, "target": image}

    def loss(
        self, network: nn.Module, batch: dict[str, Tensor], options: MiccanOptions, epoch: int
    ) -> dict[str, Tensor]:
        """Mean absolute error of the last image, and the difference of its VGG16 features if there is a file."""
        image, target = network(batch["samples"], batch["mask"])[-1], batch["target"]
        found, wanted = image.abs(), target.abs()
        difference = image - target if options.compared == "complex" else found - wanted
        l1 = difference.abs().mean()
        terms = {"loss": l1, "l1": l1.detach()}
        if options.perceptual_weight and options.perceptual_file:
            features = perceptual_loss(
                options.perceptual_file, str(image.device), normalise=options.perceptual_normalise
            )
            perceptual = features(found[:, None], wanted[:, None])
            terms["loss"] = l1 + options.perceptual_weight * perceptual
            terms["perceptual"] = perceptual.detach()
        return terms

    def validate(self, network: nn.Module, batch: dict[str, Tensor], options: MiccanOptions) -> dict[str, Tensor]:
        """PSNR (dB, data range 1) and SSIM of magnitudes in [0, 1], and the PSNR of the zero-filled images."""
        images = network(batch["samples"], batch["mask"])
        target = batch["target"].abs()[:, None]
        found, zero_filled = (image.abs()[:, None].clamp(0, 1) for image in (images[-1], images[0]))
        return {
            "psnr": psnr_db(found, target),
            "ssim": ssim(found, target),
            "zero_filled_psnr": psnr_db(zero_filled, target),
        }


TASK = MiccanTask()
