"""The parts of IFNet that repair the blend of two warped frames, with features of both frames as context."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from DynamicMRIReconLib.networks.warp import backward_warp

LEVELS = 4


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution and PReLU with a slope for each channel."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.PReLU(outputs))


class ContextNet(nn.Module):
    """Features of one frame at a half to a sixteenth of its size, each warped by the flow."""

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        widths = [channels, *(width * 2**level for level in range(LEVELS))]
        self.levels = nn.ModuleList(_halving(widths[level], widths[level + 1]) for level in range(LEVELS))

    def forward(self, image: Tensor, flow: Tensor) -> list[Tensor]:
        """(B, channels, y, x) and flow (B, 2, y, x) -> features of ``width`` to ``8 width`` channels."""
        features, x = [], image
        for level in self.levels:
            x = level(x)
            flow = functional.interpolate(flow, scale_factor=0.5, mode="bilinear", align_corners=False) * 0.5
            features.append(backward_warp(x, flow))
        return features


class RefineNet(nn.Module):
    """U-Net whose output is a correction in [-1, 1]."""

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        w = width
        # after the first level, the context of both frames joins what comes from above
        self.down = nn.ModuleList(
            [
                _halving(4 * channels + 5, 2 * w),
                _halving(4 * w, 4 * w),
                _halving(8 * w, 8 * w),
                _halving(16 * w, 16 * w),
            ]
        )
        self.up = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(inputs * w, outputs * w, 4, 2, 1), nn.PReLU(outputs * w))
            for inputs, outputs in ((32, 8), (16, 4), (8, 2), (4, 1))
        )
        self.head = nn.Conv2d(w, channels, 3, 1, 1)

    def forward(self, x: Tensor, first: list[Tensor], second: list[Tensor]) -> Tensor:
        """Frames, warped frames, logit and flow (B, 4 channels + 5, y, x) with the context of both frames."""
        skips: list[Tensor] = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else torch.cat([x, first[level - 1], second[level - 1]], dim=1))
            skips.append(x)
        x = torch.cat([skips.pop(), first[-1], second[-1]], dim=1)
        for up in self.up:
            x = up(x)
            if skips:
                x = torch.cat([x, skips.pop()], dim=1)
        correction: Tensor = torch.sigmoid(self.head(x)) * 2 - 1
        return correction


def _halving(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(convolution(inputs, outputs, 2), convolution(outputs, outputs))
