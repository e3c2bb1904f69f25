"""Losses of frame interpolation: differences at all scales, and learning the flow from a teacher."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from DynamicMRIReconLib.networks.ifnet import Interpolated

LEVELS = 5
#: the teacher is followed where its frame is better than the student's by more than this
BETTER_BY = 0.01


def laplacian_pyramid(image: Tensor, levels: int = LEVELS) -> list[Tensor]:
    """(B, channels, y, x) -> ``levels`` band-pass images, each half the size of the last, and what is left at the end.

    P. J. Burt, E. H. Adelson, IEEE Transactions on Communications 31 (1983) 532-540, with a 5x5 binomial kernel. Images
    are first made a multiple of ``2 ** levels`` large by repeating their margin: halved and doubled they must have the
    same size.
    """
    multiple = 2**levels
    height, width = image.shape[-2:]
    x = functional.pad(image, (0, -width % multiple, 0, -height % multiple), mode="replicate")
    bands = []
    for _ in range(levels):
        smaller = _smooth(x)[..., ::2, ::2]
        # zeros between the samples, smoothed with four times the kernel: a quarter of the samples is there
        spread = torch.zeros_like(x)
        spread[..., ::2, ::2] = smaller
        bands.append(x - 4 * _smooth(spread))
        x = smaller
    return [*bands, x]


def laplacian_loss(image: Tensor, target: Tensor, levels: int = LEVELS) -> Tensor:
    """Sum over the levels of the pyramid of mean absolute differences; the rest counts too, or brightness would not."""
    pyramid = laplacian_pyramid(image - target, levels)
    return torch.stack([level.abs().mean() for level in pyramid]).sum()


def distillation_loss(found: Interpolated, truth: Tensor) -> Tensor:
    """Mean absolute difference of each block's flow to the teacher's, only where the teacher's frame is better."""
    assert found.teacher_flow is not None
    assert found.teacher_merged is not None
    target = found.teacher_flow.detach()
    teacher_error = (found.teacher_merged.detach() - truth).abs().mean(1, keepdim=True)
    terms = []
    for merged, flow in zip(found.merged, found.flows, strict=True):
        error = (merged.detach() - truth).abs().mean(1, keepdim=True)
        followed = error > teacher_error + BETTER_BY
        terms.append(((flow - target).abs() * followed).mean())
    return torch.stack(terms).sum()


def flow_loss(found: Interpolated, flow: Tensor, known: Tensor) -> Tensor:
    """Mean absolute error in voxels of each block's flow, summed, over the pairs of the batch that are ``known`` (B,).

    The teacher's counts too: what others learn from shall be right.
    """
    flows = [*found.flows, *([] if found.teacher_flow is None else [found.teacher_flow])]
    errors = torch.stack([(one - flow).abs().mean((1, 2, 3)) for one in flows]).sum(0)
    return (errors * known).sum() / known.sum().clamp_min(1)


def _smooth(image: Tensor) -> Tensor:
    line = image.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = (line[:, None] * line)[None, None].expand(image.shape[1], 1, 5, 5)
    # reflection needs more than two voxels; the last levels of small images have fewer
    mode = "reflect" if min(image.shape[-2:]) > 2 else "replicate"
    return functional.conv2d(functional.pad(image, (2, 2, 2, 2), mode=mode), kernel, groups=image.shape[1])
