"""Frames moved by smooth displacements that are known: what no measured movie can tell about its own motion."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

#: places that move, each within its own radius: fewest and most, and the radius as a share of the image
PLACES = (1, 4)
RADII = (0.06, 0.3)
#: the steepest change of a displacement from voxel to voxel; below 1 nothing folds over
STEEPEST = 0.6
#: each halves the error at least by STEEPEST: 0.6 ** 20 of a displacement of 10 voxels is under a thousandth
FIXED_POINT_STEPS = 20
#: a step that changes less than this, in voxels, is the last
CLOSE = 1e-3
#: sizes of a texture's patches in voxels, and into how many shades edges divide it
TEXTURE_SIZES = (2, 4, 8, 16)
TEXTURE_STEPS = (3.0, 8.0)


def smooth_displacement(
    shape: tuple[int, int], random: np.random.Generator, largest: float, *, everywhere: bool = False
) -> Tensor:
    """(2, y, x) displacements in voxels, x before y, that fold nothing over: a few places move, the rest stays.

    Each place moves in a direction of its own, most in its middle, as a Gaussian of the distance; ``everywhere`` moves
    all of the image besides. ``largest`` is the largest displacement; less where that would change faster than
    ``STEEPEST`` from voxel to voxel.
    """
    height, width = shape
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij"
    )
    field = torch.zeros(2, height, width)
    for _ in range(int(random.integers(PLACES[0], PLACES[1] + 1))):
        radius = random.uniform(*RADII) * max(height, width)
        distance = (x - random.uniform(0, width)) ** 2 + (y - random.uniform(0, height)) ** 2
        weight = torch.exp(distance / (-2 * radius**2))
        field += _direction(random) * weight
    if everywhere:
        field += _direction(random)
    field *= largest / field.norm(dim=0).max().clamp_min(1e-6)
    return field * min(1.0, STEEPEST / max(_steepest(field), 1e-6))


def moved(images: Tensor, displacement: Tensor) -> Tensor:
    """``images`` (T, y, x) looked at where ``displacement`` (2, y, x) points to, bicubic, not below zero.

    Beyond the margin the nearest voxel of the margin is taken.
    """
    height, width = images.shape[-2:]
    grid = _places(displacement, height, width)
    found = functional.grid_sample(
        images[None].float(), grid[None], mode="bicubic", padding_mode="border", align_corners=True
    )[0]
    return found.clamp_min(0)


def moving_frames(image: Tensor, displacement: Tensor, time: float, still: float) -> tuple[Tensor, Tensor]:
    """Three frames of ``image`` in steady motion at times 0, ``time`` and 1, and the flow between them.

    The frame at time s is ``image(p + (s - still) u(p))``: at ``still`` it is ``image`` itself.

    Returns
    -------
    frames
        (3, y, x).
    flow
        (4, y, x) voxels, x before y: from the middle frame to the first, then to the last, as ``IFNet`` gives it:
        ``F(p) = (time - still) u(p) - (s - still) u(p + F(p))``.
    """
    frames = torch.cat([moved(image[None], (s - still) * displacement) for s in (0.0, time, 1.0)])
    flows = []
    for s in (0.0, 1.0):
        flow = (time - s) * displacement
        for _ in range(FIXED_POINT_STEPS):
            before, flow = flow, (time - still) * displacement - (s - still) * _there(displacement, flow)
            if float((flow - before).abs().max()) < CLOSE:
                break
        flows.append(flow)
    return frames, torch.cat(flows)


def texture(shape: tuple[int, int], random: np.random.Generator) -> Tensor:
    """(y, x) in [0, 1] with something at every place and of every size: patches of chance, half of them with edges.

    Anatomy is smooth over large parts, where no motion can be seen; flow is learned faster where it can.
    """
    image = torch.zeros(1, 1, *shape)
    for size in TEXTURE_SIZES:
        patches = torch.as_tensor(random.standard_normal((1, 1, *(-(-side // size) for side in shape))))
        larger = functional.interpolate(patches.float(), size=shape, mode="bicubic", align_corners=False)
        image += random.uniform() ** 2 * size**0.5 * larger
    image -= image.min()
    image /= image.max().clamp_min(1e-6)
    if random.random() < 0.5:
        steps = random.uniform(*TEXTURE_STEPS)
        image = ((image * steps).round() / steps).clamp(0, 1)
    return image[0, 0]


def _direction(random: np.random.Generator) -> Tensor:
    return torch.as_tensor(random.standard_normal(2), dtype=torch.float32)[:, None, None]


def _there(field: Tensor, flow: Tensor) -> Tensor:
    """``field(p + flow(p))``, bilinear."""
    grid = _places(flow, *field.shape[-2:])[None]
    found = functional.grid_sample(field[None], grid, mode="bilinear", padding_mode="border", align_corners=True)
    return found[0]


def _places(flow: Tensor, height: int, width: int) -> Tensor:
    y, x = torch.linspace(-1, 1, height), torch.linspace(-1, 1, width)
    return torch.stack(
        [x[None, :] + flow[0] * (2 / max(width - 1, 1)), y[:, None] + flow[1] * (2 / max(height - 1, 1))], dim=-1
    )


def _steepest(field: Tensor) -> float:
    """Largest of the norms of the field's derivatives."""
    along_y, along_x = torch.diff(field, dim=1), torch.diff(field, dim=2)
    squares = along_y.square().sum(0)[:, :-1] + along_x.square().sum(0)[:-1]
    return float(squares.max().sqrt()) if squares.numel() else 0.0
