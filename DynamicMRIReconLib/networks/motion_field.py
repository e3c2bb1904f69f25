"""A series as one image that moves, and what appears or fades besides."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from DynamicMRIReconLib.networks.separable_grid import Nodes, SeparableGrid

#: grids of the image and of its change, relative to the image: their side divided by
IMAGE_DIVISORS = (1, 2, 4, 8)
#: (frames and side divided by) of what is added to the moved image
CHANGE_DIVISORS = ((1, 1), (2, 2), (2, 4))
#: and of the displacement: motion of neighbours is alike
DISPLACEMENT_DIVISORS = ((1, 4), (1, 8), (2, 8), (2, 16), (4, 32))


@dataclass(frozen=True)
class MotionParts:
    """What a ``MotionField`` is made of at some frames.

    Attributes
    ----------
    image
        (y, x) complex: the image that moves.
    displacement
        (2, frames, y, x): where in ``image`` each voxel looks, relative to itself; x and y in voxels.
    moved
        (frames, y, x) complex: ``image`` seen through the displacement.
    change
        (frames, y, x) complex: what is added to it.
    """

    image: Tensor
    displacement: Tensor
    moved: Tensor
    change: Tensor

    @property
    def series(self) -> Tensor:
        """(frames, y, x) complex."""
        return self.moved + self.change


class MotionField(nn.Module):
    """``f(r, t) = image(r + displacement(r, t)) + change(r, t)``, all three multiresolution grids.

    What is only displaced is learned from the samples of all frames. Between frames the displacement is linear in time,
    so that edges move instead of fading over. Small displacements of a static image leave ``change`` to describe any
    series at all.

    Parameters
    ----------
    shape
        (frames, y, x), each >= 1.
    """

    def __init__(self, shape: Nodes) -> None:
        super().__init__()
        self.shape = shape
        frames, ny, nx = shape

        def nodes(in_time: int, in_space: int) -> Nodes:
            # an axis of a few voxels keeps two nodes, one of a single voxel has one
            return (_part(frames, in_time), _part(ny, in_space), _part(nx, in_space))

        self.image = SeparableGrid(2, [(1, *nodes(1, d)[1:]) for d in IMAGE_DIVISORS], shape)
        self.change = SeparableGrid(2, [nodes(*d) for d in CHANGE_DIVISORS], shape)
        self.displacement = SeparableGrid(2, [nodes(*d) for d in DISPLACEMENT_DIVISORS], shape)

    def start_from(self, image: Tensor) -> None:
        """Let (y, x) complex ``image`` be the image that moves."""
        with torch.no_grad():
            self.image.levels[0].copy_(torch.view_as_real(image).movedim(-1, 0)[:, None])

    def add_change(self, series: Tensor) -> None:
        """Add (frames, y, x) complex ``series`` to the change at the measured frames."""
        with torch.no_grad():
            self.change.levels[0].add_(torch.view_as_real(series).movedim(-1, 0))

    def parts(self, frame_numbers: Tensor) -> MotionParts:
        """The parts at ``frame_numbers`` (frames,), fractions allowed."""
        image = self.image(frame_numbers[:1])[:, 0]
        displacement = self.displacement(frame_numbers)
        moved = warp(image, displacement)
        return MotionParts(_complex(image), displacement, _complex(moved), _complex(self.change(frame_numbers)))

    def forward(self, frame_numbers: Tensor) -> Tensor:
        """(frames, 1, y, x) complex images at ``frame_numbers`` (frames,), 0 the first measured frame."""
        return self.parts(frame_numbers).series[:, None]


def warp(image: Tensor, displacement: Tensor) -> Tensor:
    """(channels, y, x) seen at (2, frames, y, x) voxels from each voxel, bilinear -> (channels, frames, y, x).

    Outside the image the nearest voxel holds.
    """
    ny, nx = image.shape[-2:]
    y = torch.arange(ny, device=image.device, dtype=image.dtype)[:, None]
    x = torch.arange(nx, device=image.device, dtype=image.dtype)
    # clamped here: padding at the border is missing on some devices
    at_x = (x + displacement[0]).clamp(0, nx - 1)
    at_y = (y + displacement[1]).clamp(0, ny - 1)
    places = torch.stack([(2 * at_x + 1) / nx - 1, (2 * at_y + 1) / ny - 1], dim=-1)
    frames = image.expand(len(places), *image.shape)
    return nn.functional.grid_sample(
        frames, places, mode="bilinear", padding_mode="zeros", align_corners=False
    ).movedim(0, 1)


def _part(size: int, divisor: int) -> int:
    return min(size, max(2, size // divisor))


def _complex(channels: Tensor) -> Tensor:
    return torch.complex(channels[0], channels[1])
