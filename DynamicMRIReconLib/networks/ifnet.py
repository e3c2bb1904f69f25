"""IFNet: a frame at any time between two others; 10,057,868 parameters for one channel, 10,690,888 with the teacher.

Z. Huang, T. Zhang, W. Heng, B. Shi, S. Zhou. Real-time intermediate flow estimation for video frame interpolation
(RIFE), ECCV 2022, doi:10.1007/978-3-031-19781-9_36; the variant that takes the time as an input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from DynamicMRIReconLib.networks.refinement import ContextNet, RefineNet, convolution
from DynamicMRIReconLib.networks.warp import backward_warp

#: the coarsest block looks at a quarter of the size, which it quarters again; the refinement halves four times
MULTIPLE = 32
#: channels of the blocks, and by how much each shrinks its input
WIDTHS, SCALES = (240, 150, 90), (4, 2, 1)
#: of PReLU below zero, before training
SLOPE = 0.25
#: what He's initial weights are multiplied by: in the body, so that its sum with its input does not grow; at the entry,
#: since differences of frames are a small part of their brightness; at the end, so that first displacements are small
BODY, ENTRY, LEAVE = 0.9, 4.0, 0.3


@dataclass(frozen=True)
class Interpolated:
    """What ``IFNet`` returns; lists have an entry for each block, coarse to fine.

    Attributes
    ----------
    image
        (B, channels, y, x) the frame asked for, in [0, 1].
    merged
        the blends of the two warped frames, before refinement.
    flows
        (B, 4, y, x) voxels, x before y: from the frame asked for to the first frame, then to the second.
    weights
        (B, 1, y, x) share of the first frame in the blend.
    teacher_merged, teacher_flow
        the same of the teacher, which has seen the true frame; None without one.
    """

    image: Tensor
    merged: list[Tensor]
    flows: list[Tensor]
    weights: list[Tensor]
    teacher_merged: Tensor | None = None
    teacher_flow: Tensor | None = None


class FlowBlock(nn.Module):
    """Corrects flow and blending weight at one scale."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(convolution(inputs, width // 2, 2), convolution(width // 2, width, 2))
        self.body = nn.Sequential(*(convolution(width, width) for _ in range(8)))
        self.leave = nn.ConvTranspose2d(width, 5, 4, 2, 1)

    def forward(self, x: Tensor, flow: Tensor | None, scale: int) -> tuple[Tensor, Tensor]:
        """Corrections of the flow (B, 4, y, x) and of the logit (B, 1, y, x) of the blending weight."""
        x = _resized(x, 1 / scale)
        if flow is not None:
            x = torch.cat([x, _resized(flow, 1 / scale) / scale], dim=1)
        x = self.enter(x)
        # displacements are summed and scaled: in half precision they would be off by tenths of a voxel
        found = _resized(self.leave(self.body(x) + x).float(), 2 * scale)
        return found[:, :4] * (2 * scale), found[:, 4:]


class IFNet(nn.Module):
    """Two frames and a time between them -> the frame at that time, for any size (padded to a multiple of 32 inside).

    No state is kept between calls. Images are in [0, 1].

    Parameters
    ----------
    channels
        Of an image: 1 for magnitudes.
    teacher
        With the block that sees the true frame in training; not needed to interpolate.
    widths
        Channels of the three blocks; the teacher is as wide as the last.
    """

    def __init__(
        self, *, channels: int = 1, teacher: bool = False, widths: tuple[int, int, int] = WIDTHS, context: int = 16
    ) -> None:
        super().__init__()
        first, later = 2 * channels + 1, 4 * channels + 2 + 4
        self.blocks = nn.ModuleList(FlowBlock(later if n else first, width) for n, width in enumerate(widths))
        self.teacher = FlowBlock(later + channels, widths[-1]) if teacher else None
        self.context = ContextNet(channels, context)
        self.refine = RefineNet(channels, context)

    def forward(
        self, first: Tensor, second: Tensor, time: Tensor, truth: Tensor | None = None, *, refine: bool = True
    ) -> Interpolated:
        """Interpolate a batch.

        Parameters
        ----------
        first, second
            (B, channels, y, x).
        time
            (B,) of the frame asked for: 0 that of ``first``, 1 that of ``second``.
        truth
            (B, channels, y, x), the true frame, for the teacher; ignored without one.
        refine
            False: the blend as it is, as ``image``.
        """
        height, width = first.shape[-2:]
        first, second = _padded(first), _padded(second)
        at = time.to(first)[:, None, None, None].expand(-1, 1, *first.shape[-2:])
        x = torch.cat([first, second, at], dim=1)
        flow: Tensor | None = None
        logit = torch.zeros_like(first[:, :1])
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        warped = (first, second)
        for block, scale in zip(self.blocks, SCALES, strict=True):
            change, more = block(x, flow, scale)
            flow = change if flow is None else flow + change
            logit = logit + more
            warped = backward_warp(first, flow[:, :2]), backward_warp(second, flow[:, 2:])
            found.append((_blend(warped, logit), flow, logit.sigmoid()))
            x = torch.cat([first, second, at, *warped, logit], dim=1)
        assert flow is not None
        image = found[-1][0]
        if refine:
            image = image + self.refine(
                torch.cat([first, second, *warped, logit, flow], dim=1),
                self.context(first, flow[:, :2]),
                self.context(second, flow[:, 2:]),
            )
        merged, flows, weights = ([part[..., :height, :width] for part in parts] for parts in zip(*found, strict=True))
        taught: tuple[Tensor, Tensor] | tuple[None, None] = (None, None)
        if self.teacher is not None and truth is not None:
            change, more = self.teacher(torch.cat([x, _padded(truth)], dim=1), flow, 1)
            better = flow + change
            blend = _blend((backward_warp(first, better[:, :2]), backward_warp(second, better[:, 2:])), logit + more)
            taught = blend[..., :height, :width], better[..., :height, :width]
        return Interpolated(image[..., :height, :width].clamp(0, 1), merged, flows, weights, *taught)


@torch.no_grad()
def begin_flow_by_he(network: IFNet) -> None:
    """Give the flow blocks initial weights with which signals keep their size and brightness does not drown motion.

    With torch's own, which the published training has, signals shrink through ten layers, and a short training finds no
    flow at all: it stays where all displacements are zero. K. He, X. Zhang, S. Ren, J. Sun, ICCV 2015,
    doi:10.1109/ICCV.2015.123; biases are zero.
    """
    blocks = [*network.blocks, *([] if network.teacher is None else [network.teacher])]
    for block in blocks:
        for layer in _convolutions(block):
            nn.init.kaiming_normal_(layer.weight, a=SLOPE)
            layer.bias.zero_()
        for layer in _convolutions(block.body):
            layer.weight *= BODY
        entry = _convolutions(block.enter)[0].weight
        entry -= entry.mean((2, 3), keepdim=True)
        entry *= ENTRY
        block.leave.weight *= LEAVE
        block.leave.bias.zero_()


def _convolutions(module: nn.Module) -> list[Any]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]


def _blend(warped: tuple[Tensor, Tensor], logit: Tensor) -> Tensor:
    share = logit.sigmoid()
    return warped[0] * share + warped[1] * (1 - share)


def _padded(image: Tensor) -> Tensor:
    """With the margin repeated below and on the right, so that no edge arises there."""
    height, width = image.shape[-2:]
    return functional.pad(image, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")


def _resized(image: Tensor, factor: float) -> Tensor:
    if factor == 1:
        return image
    return functional.interpolate(image, scale_factor=factor, mode="bilinear", align_corners=False)
