"""Training of cardiac video super-resolution: coarse patches of some frames of a beat in, fine ones out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from DynamicMRIReconLib.acquisition.degradation import cropped_to_multiple, degraded
from DynamicMRIReconLib.cardiac.phase import find_phase
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.evaluation.regions import Box
from DynamicMRIReconLib.networks.cardiac_vsr import CardiacVSR
from DynamicMRIReconLib.networks.upsampler import DEVIATION, bicubic
from DynamicMRIReconLib.operators.zero_filling import ZeroFilling
from DynamicMRIReconLib.phantoms.recent import Recent
from DynamicMRIReconLib.training.augmentation import flipped_and_turned
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.figures import psnr_db, ssim
from DynamicMRIReconLib.training.known_motion import moved, smooth_displacement

#: the loss of a stage counts this much of that of the next one
EARLIER = 0.5
#: fine images are cut to a multiple of this, as the published ones: all scales fit
MULTIPLE = 12
#: clips that are kept with their coarse images and phase
_KEPT = 48


class SuperResolutionOptions(BaseModel):
    """What the video network and the single-image network have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Literal[2, 3, 4] = 2
    features: int = Field(default=64, ge=1, le=256)
    skip: bool = Field(default=False, description="learn the difference to bicubic interpolation")
    targets: int = Field(default=7, ge=1, le=64, description="frames of a clip that are compared")
    context: int = Field(default=6, ge=0, le=32, description="frames before and after them that warm the memory up")
    patch: int = Field(default=32, ge=8, le=256, description="side of the coarse patches")
    heart_share: float = Field(
        default=0.5, ge=0, le=1, description="patches whose middle is in the heart; others anywhere"
    )
    rounded: bool = Field(default=False, description="coarse images in whole numbers from 0 to 255, as published")
    noise: float = Field(
        default=0.0, ge=0, le=0.5, description="largest standard deviation of noise added to coarse images"
    )
    deformed_voxels: float = Field(
        default=0.0,
        ge=0,
        description="largest displacement of the random smooth deformations of half the training clips; 0 for none",
    )


class CardiacVsrOptions(SuperResolutionOptions):
    """Options of the task ``cardiac-vsr``; the defaults are the published network."""

    layers: int = Field(default=3, ge=1, le=8)
    stages: int = Field(default=3, ge=1, le=8)
    window: int = Field(default=2, ge=0, le=4)
    memory: bool = True
    bidirectional: bool = True
    phase_fusion: bool = True
    activated_fusion: bool = False
    blocks: int = Field(default=0, ge=0, le=64, description="residual blocks that extract features; 0 as published")
    auxiliary: bool = Field(default=True, description="losses of earlier stages and single directions, as published")


@dataclass(frozen=True)
class Pair:
    """Coarse (T, 1, y, x) and fine (T, 1, scale y, scale x) frames, phase (T,), and the heart on the coarse grid."""

    coarse: Tensor
    fine: Tensor
    phase: Tensor
    heart: Box


class CardiacVsrTask:
    """See ``TrainingTask``."""

    name = "cardiac-vsr"
    options: type[BaseModel] = CardiacVsrOptions
    score = "psnr"

    def __init__(self) -> None:
        self._pairs: Recent[Pair] = Recent(_KEPT)

    def clip_frames(self, options: Any) -> int:
        """Targets and context; of a cyclic source a clip has all frames, and the context goes round."""
        return int(options.targets + 2 * options.context)

    def build(self, options: Any) -> nn.Module:
        """A fresh network."""
        return CardiacVSR(**self.network_options(options))

    def network_options(self, options: Any) -> dict[str, Any]:
        """Arguments of the network."""
        names = ("scale", "features", "layers", "stages", "window", "memory", "bidirectional", "phase_fusion")
        return {name: getattr(options, name) for name in (*names, "activated_fusion", "blocks", "skip")}

    def sample(self, clip: Clip, random: np.random.Generator, options: Any, *, augment: bool) -> dict[str, Tensor]:
        """``coarse`` (frames, 1, y, x), ``phase`` (frames,), ``fine`` (targets, 1, scale y, scale x), all in [0, 1]."""
        key = (clip.name, tuple(clip.frames.shape), float(clip.frames.sum()), options.scale, options.rounded)
        pair = self._pairs.get(key, lambda: coarse_and_fine(clip, options.scale, rounded=options.rounded))
        count, wanted = len(pair.coarse), self.clip_frames(options)
        first = int(random.integers(count)) if clip.cyclic else int(random.integers(count - wanted + 1))
        numbers = (first + torch.arange(wanted)) % count
        window = _window(pair, options, random, chosen=augment)
        coarse, fine = pair.coarse[numbers], pair.fine[numbers]
        if augment and options.deformed_voxels and random.random() < 0.5:
            coarse, fine = _deformed(fine, options, random)
        coarse = coarse[..., window[0], window[1]]
        wide = tuple(slice(options.scale * one.start, options.scale * one.stop) for one in window)
        fine = fine[options.context : wanted - options.context, ..., wide[0], wide[1]]
        if augment and options.noise:
            noise = torch.from_numpy(options.noise * random.random() * random.standard_normal(tuple(coarse.shape)))
            # what was measured stays in the result, noise and all: what to add to it is learned without
            kept = ZeroFilling((coarse.shape[-2], coarse.shape[-1]), options.scale)(torch.complex(noise, 0 * noise))
            fine = fine + kept.real[options.context : wanted - options.context].float()
            coarse = coarse + noise.float()
        if augment:
            draw = int(random.integers(2**32))
            coarse, fine = (flipped_and_turned(part, np.random.default_rng(draw)) for part in (coarse, fine))
        return {"coarse": coarse.contiguous(), "fine": fine.contiguous(), "phase": pair.phase[numbers]}

    def loss(self, network: nn.Module, batch: dict[str, Tensor], options: Any, epoch: int) -> dict[str, Tensor]:
        """Mean absolute differences of the fused, forward and backward images; half for each stage before the last."""
        stages = network(batch["coarse"], batch["phase"], options.context, auxiliary=options.auxiliary)
        total = torch.zeros((), device=batch["coarse"].device)
        for number, stage in enumerate(stages):
            images = [one for one in (stage.fused, stage.forward, stage.backward) if one is not None]
            error = torch.stack([_error(image, batch["fine"]) for image in images]).sum()
            total = total + EARLIER ** (len(stages) - 1 - number) * error
        return {"loss": total, "fused": _error(stages[-1].fused.detach(), batch["fine"])}

    def validate(self, network: nn.Module, batch: dict[str, Tensor], options: Any) -> dict[str, Tensor]:
        """PSNR (dB) and SSIM of the last stage, and the PSNR of aligned bicubic interpolation."""
        return self._figures(network(batch["coarse"], batch["phase"], options.context)[-1].fused, batch, options)

    def _figures(self, images: Tensor, batch: dict[str, Tensor], options: Any) -> dict[str, Tensor]:
        count, targets = batch["fine"].shape[:2]
        fine, found = batch["fine"].flatten(0, 1), images.flatten(0, 1).clamp(0, 1)
        plain = bicubic(target_frames(batch["coarse"], options).flatten(0, 1), options.scale).clamp(0, 1)
        figures = {"psnr": psnr_db(found, fine), "ssim": ssim(found, fine), "bicubic_psnr": psnr_db(plain, fine)}
        return {name: values.reshape(count, targets).mean(1) for name, values in figures.items()}


def target_frames(coarse: Tensor, options: Any) -> Tensor:
    """(B, targets, 1, y, x) of (B, frames, 1, y, x)."""
    return coarse[:, options.context : coarse.shape[1] - options.context]


def coarse_and_fine(clip: Clip, scale: int, *, rounded: bool = False) -> Pair:
    """The clip, made coarser, with the phase and the place of the heart found in it."""
    fine = cropped_to_multiple(clip.frames.numpy(), MULTIPLE)
    coarse = _coarse(fine, scale, rounded=rounded)
    series = ImageSeries(coarse[:, None], np.eye(4), 1e-3 * clip.frame_times_ms.numpy())
    phase = find_phase(series, beats=1 if clip.cyclic else None)
    heart = phase.box or (0, 0, coarse.shape[-1], coarse.shape[-2])
    few, many = (torch.from_numpy(np.ascontiguousarray(one))[:, None] for one in (coarse, fine))
    return Pair(few, many, torch.from_numpy(phase.code).float(), heart)


def _coarse(fine: NDArray[np.float32], scale: int, *, rounded: bool) -> NDArray[np.float32]:
    return degraded(255 * fine, scale, rounded=True) / np.float32(255) if rounded else degraded(fine, scale)


def _deformed(fine: Tensor, options: Any, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Coarse and fine frames of a heart of another shape that beats in the same way: one displacement for all."""
    largest = random.uniform(0, options.deformed_voxels)
    field = smooth_displacement((fine.shape[-2], fine.shape[-1]), random, largest, everywhere=True)
    found = moved(fine[:, 0], field)
    return torch.from_numpy(_coarse(found.numpy(), options.scale, rounded=options.rounded))[:, None], found[:, None]


def _window(pair: Pair, options: Any, random: np.random.Generator, *, chosen: bool) -> tuple[slice, slice]:
    """Rows and columns of a patch; with ``chosen`` false around the middle of the heart."""
    x0, y0, x1, y1 = pair.heart
    in_heart = not chosen or random.random() < options.heart_share
    found = []
    for low, high, side in ((y0, y1, pair.coarse.shape[-2]), (x0, x1, pair.coarse.shape[-1])):
        size = min(options.patch, side)
        if in_heart:
            middle = int(random.integers(low, high)) if chosen else (low + high) // 2
            start = min(max(middle - size // 2, 0), side - size)
        else:
            start = int(random.integers(side - size + 1))
        found.append(slice(start, start + size))
    return found[0], found[1]


def _error(images: Tensor, truth: Tensor) -> Tensor:
    return (images - truth).abs().mean() / DEVIATION


TASK = CardiacVsrTask()
