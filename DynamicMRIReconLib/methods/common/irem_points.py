"""What IREM learns from: the voxels of all stacks, and points within the slice profile of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DynamicMRIReconLib.methods.common.stack_grid import VolumeGrid
from DynamicMRIReconLib.methods.common.stack_preparation import PreparedStacks

_FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))
#: voxels below this, with all neighbours, are background, of which this part is kept
_DARK, _KEPT = 0.01, 0.2
_GOLDEN = (math.sqrt(5) - 1) / 2
#: voxels of the result this much of the finest pixel size serve as the start volume's own
_ALIKE = (0.6, 1.6)


@dataclass(frozen=True)
class Frame:
    """Positions in [-1, 1]: RAS mm less ``centre_mm``, along ``directions``, over ``half_mm``; isotropic.

    ``lattice`` is the voxel grid of the start volume and ``extent`` where its outermost voxels lie, (x, y, z).
    """

    centre_mm: NDArray[np.float64]
    half_mm: float
    directions: NDArray[np.float64]
    extent: tuple[float, float, float]
    lattice: VolumeGrid

    @classmethod
    def around(cls, stacks: PreparedStacks) -> Frame:
        """The result's box and half a slice more on all sides, on the result's own voxels where these are about as
        fine as the stacks' pixels, else on such voxels: between voxels a volume loses sharpness."""
        grid = stacks.grid
        spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
        finest = min(float(stack.spacing_mm.min()) for stack in stacks.stacks)
        directions = grid.affine[:3, :3] / spacing
        counts = np.array(grid.shape[::-1])
        middle = (grid.affine @ np.append((counts - 1) / 2, 1))[:3]
        if not ((spacing > _ALIKE[0] * finest) & (spacing < _ALIKE[1] * finest)).all():
            counts = np.maximum(1, np.rint(counts * spacing / finest)).astype(int)
            spacing = np.full(3, finest)
        margin_mm = max(stack.thickness_mm for stack in stacks.stacks) / 2
        counts = counts + 2 * np.ceil(margin_mm / spacing).astype(int)
        affine = np.eye(4)
        affine[:3, :3] = directions * spacing
        affine[:3, 3] = middle - affine[:3, :3] @ ((counts - 1) / 2)
        ends = (counts - 1) / 2 * spacing
        half = float(ends.max())
        extent = (float(ends[0] / half), float(ends[1] / half), float(ends[2] / half))
        shape = (int(counts[2]), int(counts[1]), int(counts[0]))
        return cls(middle, half, directions, extent, VolumeGrid(shape, affine))

    def positions(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """RAS mm (..., 3) as positions."""
        return np.asarray((points_mm - self.centre_mm) @ self.directions / self.half_mm)

    def hold(self, positions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which positions lie within the box."""
        return np.asarray((np.abs(positions) <= np.array(self.extent) + 1e-9).all(axis=-1))


@dataclass(frozen=True)
class Points:
    """All voxels that are learned from.

    Attributes
    ----------
    positions, values
        (n, 3) and (n,) of the voxels.
    stack
        (n,) which stack each is of.
    axes
        (stacks, 3, 3): rows are the vectors, in positions, of a voxel along x and y and of the thickness through it.
    """

    positions: Tensor
    values: Tensor
    stack: Tensor
    axes: Tensor

    @classmethod
    def of(cls, stacks: PreparedStacks, frame: Frame, seed: int, device: str) -> Points:
        """Voxels within the frame and the masks; of dark background a fifth, which says little and is often most."""
        from scipy.ndimage import maximum_filter

        rng = np.random.default_rng(seed)
        positions, values, numbers, axes = [], [], [], []
        for number, stack in enumerate(stacks.stacks):
            kept = maximum_filter(np.abs(stack.values), 3) > _DARK
            kept |= rng.random(kept.shape) < _KEPT
            if stack.mask is not None:
                kept &= stack.mask
            k, j, i = np.nonzero(kept)
            places = np.stack([i, j, k], axis=-1) @ stack.affine[:3, :3].T + stack.affine[:3, 3]
            at = frame.positions(places)
            near = frame.hold(at)
            positions.append(at[near])
            values.append(stack.values[kept][near])
            numbers.append(np.full(int(near.sum()), number))
            columns = stack.affine[:3, :3].copy()
            columns[:, 2] *= stack.thickness_mm / stack.spacing_mm[2]
            axes.append((columns.T @ frame.directions) / frame.half_mm)
        return cls(
            torch.as_tensor(np.concatenate(positions), dtype=torch.float32, device=device),
            torch.as_tensor(np.concatenate(values), dtype=torch.float32, device=device),
            torch.as_tensor(np.concatenate(numbers), device=device),
            torch.as_tensor(np.stack(axes), dtype=torch.float32, device=device),
        )

    def __len__(self) -> int:
        return len(self.values)

    def batches(self, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Numbers of the voxels of one epoch, in random order."""
        order = torch.randperm(len(self), generator=generator).to(self.values.device)
        for first in range(0, len(order), size):
            yield order[first : first + size]


@dataclass(frozen=True)
class ProfilePoints:
    """Points within the slice profile whose mean stands for a voxel: the middles of parts of equal weight.

    The same points in every step: random ones would put noise on each mean, which ends as blur in the volume.

    Parameters
    ----------
    profile
        ``none`` takes the voxel's middle alone.
    count
        Points for a voxel; as many as the volume has voxels through the slice is enough.
    in_plane_blur
        Full width at half maximum of the Gaussian in the plane, in voxels.
    """

    profile: Literal["none", "gaussian", "boxcar"]
    count: int
    in_plane_blur: float

    def offsets(self) -> Tensor:
        """(count, 3): along x and y in voxels, and through the slice in thicknesses."""
        count = 1 if self.profile == "none" else self.count
        middles = (torch.arange(count, dtype=torch.float64) + 0.5) / count
        offsets = torch.zeros(count, 3, dtype=torch.float64)
        if self.profile == "boxcar":
            offsets[:, 2] = middles - 0.5
        elif self.profile == "gaussian":
            offsets[:, 2] = torch.erfinv(2 * middles - 1) * math.sqrt(2) / _FWHM_PER_SIGMA
        if self.profile != "none" and self.in_plane_blur > 0 and count > 1:
            # rings of equal weight, turned by the golden angle, in an order that has nothing to do with the depth
            order = torch.argsort(torch.arange(count) * _GOLDEN % 1)
            radius = (-2 * (1 - middles[order]).log()).sqrt() * self.in_plane_blur / _FWHM_PER_SIGMA
            turn = 2 * math.pi * _GOLDEN * torch.arange(count)
            ring = torch.stack([radius * turn.cos(), radius * turn.sin()], dim=1)
            offsets[:, :2] = ring - ring.mean(0)
        return offsets.float()

    def around(self, points: Points, chosen: Tensor) -> Tensor:
        """(voxels, count, 3) positions."""
        offsets = self.offsets().to(points.positions.device)
        axes = points.axes[points.stack[chosen]]
        return points.positions[chosen][:, None] + torch.einsum("ja,vac->vjc", offsets, axes)
