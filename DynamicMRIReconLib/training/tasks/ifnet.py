"""Training of IFNet: two frames of a clip in, one between them out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from DynamicMRIReconLib.networks.ifnet import IFNet, Interpolated, begin_flow_by_he
from DynamicMRIReconLib.networks.upsampler import silent
from DynamicMRIReconLib.training.augmentation import flipped_and_turned
from DynamicMRIReconLib.training.clips import Clip
from DynamicMRIReconLib.training.config import Interval
from DynamicMRIReconLib.training.figures import psnr_db, ssim
from DynamicMRIReconLib.training.known_motion import moving_frames, smooth_displacement, texture
from DynamicMRIReconLib.training.losses.interpolation import distillation_loss, flow_loss, laplacian_loss
from DynamicMRIReconLib.training.undersampling import Undersampling

#: weight of the distillation for any time and for the middle alone
DISTILLATION = {"any": 0.002, "middle": 0.01}
#: share of the moved frames in which no place stays
EVERYWHERE = 0.5


class IfnetOptions(BaseModel):
    """Options of the task ``ifnet``; the defaults are the published network for one channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    widths: tuple[int, int, int] = (240, 150, 90)
    context: int = Field(default=16, ge=2, le=128)
    teacher: bool = True
    span: int = Field(
        default=8,
        ge=2,
        le=64,
        description="most frames from the first to the second frame of a pair; more is faster motion",
    )
    time: Literal["any", "middle"] = "any"
    distillation_weight: float | None = Field(default=None, ge=0, description="0.002 for any time, 0.01 for the middle")
    teacher_weight: float = Field(default=1.0, ge=0)
    merged_weight: float = Field(
        default=0.0, ge=0, description="weight of the blends before refinement, as the paper has them"
    )
    intensity: Interval = (0.7, 1.0)
    moved_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of the training pairs that are one frame moved by a known, smooth displacement",
    )
    moved_voxels: Interval = Field(default=(1.0, 10.0), description="range of the largest displacement")
    textured_share: float = Field(
        default=0.0, ge=0, le=1, description="share of the moved frames that are a texture of chance"
    )
    flow_weight: float = Field(default=0.02, ge=0, description="weight of the flow's error where it is known")
    initial: Literal["published", "he"] = Field(
        default="published", description="initial weights: torch's own, or those from which flow is learned sooner"
    )
    learns: Literal["everything", "flow"] = Field(
        default="everything", description="flow: neither refinement nor teacher, in half the time"
    )
    miccan: str = Field(
        default="",
        description="MICCAN model (id or file): it learns from frames as MICCAN reconstructs them, else true ones",
    )
    sampling: Undersampling = Field(default_factory=Undersampling, description="of the frames that MICCAN reconstructs")


class IfnetTask:
    """See ``TrainingTask``. The teacher travels with the weights; interpolation does not use it."""

    name = "ifnet"
    options = IfnetOptions
    score = "psnr"

    def clip_frames(self, options: IfnetOptions) -> int:
        """The pair and all between."""
        return options.span + 1

    def build(self, options: IfnetOptions) -> nn.Module:
        """A fresh network."""
        network = IFNet(**self.network_options(options))
        if options.initial == "he":
            begin_flow_by_he(network)
        if options.learns == "flow":
            # what is not learned must not spoil the result, nor the beginning of a training that goes on from it
            silent(network.refine.head)
            network.requires_grad_(False)
            network.blocks.requires_grad_(True)
        return network

    def network_options(self, options: IfnetOptions) -> dict[str, Any]:
        """Arguments of ``IFNet``."""
        widths = list(options.widths)
        return {"channels": 1, "teacher": options.teacher, "widths": widths, "context": options.context}

    def sample(
        self, clip: Clip, random: np.random.Generator, options: IfnetOptions, *, augment: bool
    ) -> dict[str, Tensor]:
        """``frames`` (3, y, x): first, asked for, second; ``time`` of the middle one in (0, 1).

        With ``moved_share``, in training, also ``flow`` (4, y, x) and ``known``, 1 where the flow is known, else 0.
        With MICCAN also ``samples`` (3, ky, kx) and ``mask`` (ky, kx).
        """
        last = min(options.span, len(clip.frames) - 1)
        apart = (
            int(random.integers(2, last + 1)) if options.time == "any" else 2 * int(random.integers(1, last // 2 + 1))
        )
        start = int(random.integers(len(clip.frames) - apart))
        asked = int(random.integers(1, apart)) if options.time == "any" else apart // 2
        numbers = torch.tensor([start, start + asked, start + apart])
        frames, times = clip.frames[numbers], clip.frame_times_ms[numbers]
        time = (times[1] - times[0]) / (times[2] - times[0])
        if augment:
            frames = flipped_and_turned(frames, random) * random.uniform(*options.intensity)
            if random.random() < 0.5:
                frames, time = frames.flip(0), 1 - time
        item = {"frames": frames.contiguous(), "time": time.float()}
        if augment and options.moved_share:
            item |= _moved(frames, random, options)
        if options.miccan:
            shape = (frames.shape[1], frames.shape[2])
            mask = options.sampling.draw(shape, random, augment=augment)
            measured = [options.sampling.measure(f.to(torch.complex64), mask, random, augment=augment) for f in frames]
            item |= {"samples": torch.cat(measured), "mask": mask}
        return item

    def loss(
        self, network: nn.Module, batch: dict[str, Tensor], options: IfnetOptions, epoch: int
    ) -> dict[str, Tensor]:
        """Laplacian pyramid loss of the result and of the teacher's blend, and the distillation of the flow."""
        first, truth, second = _frames(batch, options)
        whole = options.learns == "everything"
        found: Interpolated = network(first, second, batch["time"], truth if whole else None, refine=whole)
        laplacian = laplacian_loss(found.image, truth)
        terms = {"loss": laplacian, "laplacian": laplacian.detach()}
        if options.merged_weight:
            blends = torch.stack([laplacian_loss(merged, truth) for merged in found.merged[:-1]]).sum()
            terms["loss"] = terms["loss"] + options.merged_weight * blends
        if found.teacher_merged is not None:
            teacher, distillation = laplacian_loss(found.teacher_merged, truth), distillation_loss(found, truth)
            weight = options.distillation_weight
            weight = DISTILLATION[options.time] if weight is None else weight
            terms["loss"] = terms["loss"] + options.teacher_weight * teacher + weight * distillation
            terms |= {"teacher": teacher.detach(), "distillation": distillation.detach()}
        if "flow" in batch and options.flow_weight:
            flow = flow_loss(found, batch["flow"], batch["known"])
            terms["loss"] = terms["loss"] + options.flow_weight * flow
            terms["flow"] = flow.detach()
        return terms

    def validate(self, network: nn.Module, batch: dict[str, Tensor], options: IfnetOptions) -> dict[str, Tensor]:
        """PSNR (dB) and SSIM, and the PSNR of the linear blend at the same time.

        With MICCAN the reference is its own middle frame (PSNR_rec of the paper); ``psnr_gt`` is against the true one.
        """
        first, truth, second = _frames(batch, options)
        image = network(first, second, batch["time"]).image
        at = batch["time"][:, None, None, None]
        figures = {
            "psnr": psnr_db(image, truth),
            "ssim": ssim(image, truth),
            "linear_psnr": psnr_db((1 - at) * first + at * second, truth),
        }
        if options.miccan:
            figures["psnr_gt"] = psnr_db(image, batch["frames"][:, 1:2])
        return figures


def _moved(frames: Tensor, random: np.random.Generator, options: IfnetOptions) -> dict[str, Tensor]:
    """The first of ``frames`` moved, by chance, with time and flow; a flow of zeros that is not known otherwise."""
    if random.random() >= options.moved_share:
        return {"flow": frames.new_zeros(4, *frames.shape[1:]), "known": torch.tensor(0.0)}
    low, high = np.log(options.moved_voxels)
    shape = (frames.shape[1], frames.shape[2])
    largest, everywhere = float(np.exp(random.uniform(low, high))), bool(random.random() < EVERYWHERE)
    displacement = smooth_displacement(shape, random, largest, everywhere=everywhere)
    time = 0.5 if options.time == "middle" else float(random.uniform(0.1, 0.9))
    textured = random.random() < options.textured_share
    image = texture(shape, random) * random.uniform(*options.intensity) if textured else frames[0]
    moving, flow = moving_frames(image, displacement, time, float(random.uniform()))
    return {"frames": moving.clamp(0, 1), "time": torch.tensor(time), "flow": flow, "known": torch.tensor(1.0)}


def _frames(batch: dict[str, Tensor], options: IfnetOptions) -> tuple[Tensor, Tensor, Tensor]:
    """First, asked for and second frame, each (B, 1, y, x) in [0, 1]: true, or as MICCAN reconstructs them."""
    frames = batch["frames"]
    if options.miccan:
        samples = batch["samples"]
        masks = batch["mask"].repeat_interleave(3, dim=0)
        with torch.no_grad():
            images = _miccan(options.miccan, str(samples.device))(samples.flatten(0, 1)[:, None], masks)[-1]
        frames = images.abs().clamp(0, 1).reshape(frames.shape)
    first, middle, second = (frames[:, n : n + 1] for n in range(3))
    return first, middle, second


@lru_cache(maxsize=1)
def _miccan(model: str, device: str) -> nn.Module:
    from DynamicMRIReconLib import models

    network: nn.Module = models.load(model, network="miccan", device=device).network
    return network.eval().requires_grad_(False)


TASK = IfnetTask()
