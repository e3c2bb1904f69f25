"""Undersampled k-space made of training images."""

from __future__ import annotations

import re
from typing import Annotated

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor

from DynamicMRIReconLib.acquisition.masks import SPIRAL_MASKS, named_spiral_mask, variable_density_mask
from DynamicMRIReconLib.operators.fourier import fft2c
from DynamicMRIReconLib.training.augmentation import complex_noise

_CARTESIAN = re.compile(r"cartesian_(\d+(?:\.\d+)?)")
#: central lines that every Cartesian mask has, at most half of its lines
CENTRAL_LINES = 8
#: ten of 192 lines: the share that is central in every frame of a Cartesian k-t mask, again at most half of its lines
CENTRAL_SHARE = 10 / 192


class Undersampling(BaseModel):
    """How k-space is undersampled: one of ``masks`` is drawn for each image.

    ``arms6_1``, ``arms6_2``, ``arms6_6`` are spirals (``acquisition.masks``), ``cartesian_8`` whole lines at an
    acceleration of 8.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    masks: tuple[str, ...] = Field(default=tuple(SPIRAL_MASKS), min_length=1)
    radial_undersampling: float = Field(default=13 / 6, gt=0, description="R of the spirals")
    alpha: float = Field(default=1.0, gt=0, description="density exponent of the spirals")
    turned: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of training spirals turned by a random angle, as arms turn between frames",
    )
    noise: float = Field(
        default=0.0, ge=0, le=1, description="largest standard deviation of the complex noise of training samples"
    )

    @field_validator("masks")
    @classmethod
    def _known(cls, masks: tuple[str, ...]) -> tuple[str, ...]:
        for name in masks:
            found = _CARTESIAN.fullmatch(name)
            if name not in SPIRAL_MASKS and not (found and float(found[1]) >= 1):
                raise ValueError(f"there is no mask {name!r}: use {', '.join(SPIRAL_MASKS)} or such as cartesian_8")
        return masks

    def draw(self, shape: tuple[int, int], random: np.random.Generator, *, augment: bool) -> Tensor:
        """A mask (ky, kx) bool, k = 0 at index N // 2."""
        name = self.masks[random.integers(len(self.masks))]
        found = _CARTESIAN.fullmatch(name)
        if found:
            lines = int(shape[0] / float(found[1]))
            central = min(CENTRAL_LINES, lines // 2)
            seed = int(random.integers(2**31))
            mask = variable_density_mask(1, (1, *shape), float(found[1]), central, seed)[0, 0]
            return torch.from_numpy(mask)
        turned = 360.0 * random.random() if augment and random.random() < self.turned else 0.0
        # an oblong image sees the middle of the mask of the square around it
        side = max(shape)
        mask = named_spiral_mask(name, side, R=self.radial_undersampling, alpha=self.alpha, rotation_deg=turned)
        top, left = (side // 2 - n // 2 for n in shape)
        return torch.from_numpy(mask[top : top + shape[0], left : left + shape[1]].copy())

    def measure(self, image: Tensor, mask: Tensor, random: np.random.Generator, *, augment: bool) -> Tensor:
        """Samples (1, ky, kx) of the complex ``image`` (y, x), zero where ``mask`` is; noise only when augmenting."""
        samples = fft2c(image[None])
        if augment and self.noise > 0:
            samples = samples + complex_noise(tuple(samples.shape), random.uniform(0, self.noise), random)
        return torch.where(mask, samples, 0)


class KtUndersampling(BaseModel):
    """Whole lines, other ones in each frame (``acquisition.masks.variable_density_mask``); one of ``accelerations``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accelerations: tuple[Annotated[float, Field(ge=1, le=64)], ...] = Field(default=(8.0,), min_length=1)
    central_share: float = Field(default=CENTRAL_SHARE, ge=0, lt=1, description="of all lines: always measured")
    fixed: bool = Field(default=False, description="one mask for a size and an acceleration, as the paper's one seed")
    noise: float = Field(
        default=0.0, ge=0, le=1, description="largest standard deviation of the complex noise of training samples"
    )

    def draw(self, shape: tuple[int, int, int], random: np.random.Generator) -> Tensor:
        """A mask (T, ky, kx) bool, k = 0 at index N // 2."""
        acceleration = self.accelerations[random.integers(len(self.accelerations))]
        seed = 0 if self.fixed else int(random.integers(2**31))
        frames, *image = shape
        lines = max(1, int(image[0] / acceleration))
        central = min(max(1, round(self.central_share * image[0])), max(1, lines // 2))
        mask = variable_density_mask(frames, (1, image[0], image[1]), min(acceleration, image[0]), central, seed)
        return torch.from_numpy(mask[:, 0])

    def measure(self, movie: Tensor, mask: Tensor, random: np.random.Generator, *, augment: bool) -> Tensor:
        """Samples (T, 1, ky, kx) of the complex ``movie`` (T, y, x), zero where ``mask`` is; noise when augmenting."""
        samples = fft2c(movie[:, None])
        if augment and self.noise > 0:
            samples = samples + complex_noise(tuple(samples.shape), random.uniform(0, self.noise), random)
        return torch.where(mask[:, None], samples, 0)
