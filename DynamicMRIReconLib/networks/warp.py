"""Images moved along displacement fields."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def backward_warp(image: Tensor, flow: Tensor) -> Tensor:
    """``image`` looked at where ``flow`` points to: ``out(y, x) = image(y + flow_y, x + flow_x)``, bilinear.

    Beyond the margin the nearest voxel of the margin is taken.

    Parameters
    ----------
    image
        (B, channels, y, x).
    flow
        (B, 2, y, x) displacement in voxels, x before y.
    """
    height, width = image.shape[-2:]
    flow = flow.float() if flow.dtype in (torch.float16, torch.bfloat16) else flow
    y = torch.linspace(-1, 1, height, device=image.device, dtype=flow.dtype)
    x = torch.linspace(-1, 1, width, device=image.device, dtype=flow.dtype)
    grid_x = x[None, None, :] + flow[:, 0] * (2 / max(width - 1, 1))
    grid_y = y[None, :, None] + flow[:, 1] * (2 / max(height - 1, 1))
    # clamped instead of padding_mode="border", which Apple's MPS lacks: the same values
    grid = torch.stack([grid_x, grid_y], dim=-1).clamp(-1, 1)
    return functional.grid_sample(image, grid.to(image.dtype), mode="bilinear", align_corners=True)
