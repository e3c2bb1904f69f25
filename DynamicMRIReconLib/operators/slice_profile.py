"""How a stack of thick slices comes from a volume: rigid motion, slice profile, sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from DynamicMRIReconLib.operators.base import LinearOperator, Shape

Profile = Literal["gaussian", "boxcar"]

_FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))
_CUT_SIGMAS = 3.0
#: points of the volume looked up at once: their coordinates are what needs memory
POINTS_AT_ONCE = 3_000_000


@dataclass(frozen=True)
class SliceGeometry:
    """Where the slices of a stack lie and what a voxel of them averages.

    Attributes
    ----------
    shape
        (slices, rows, columns).
    affine
        (4, 4) voxel index to RAS mm.
    thickness_mm
        Full width at half maximum of the profile through the slice; the width of a boxcar.
    motions
        (slices, 4, 4) a rigid RAS motion put on each slice, or None.
    profile
        Shape of the profile through the slice.
    in_plane_blur
        Full width at half maximum of the Gaussian in the plane, in voxels; 0 for point samples.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    thickness_mm: float
    motions: NDArray[np.float64] | None = None
    profile: Profile = "gaussian"
    in_plane_blur: float = 1.2

    def affines(self) -> NDArray[np.float64]:
        """(slices, 4, 4): voxel index of the stack to RAS mm, slice by slice."""
        if self.motions is None:
            return np.broadcast_to(self.affine, (self.shape[0], 4, 4))
        return np.asarray(self.motions @ self.affine)


class SliceProfileOperator(LinearOperator):
    """(z, y, x) volume -> (slices, rows, columns) of a stack, real or complex.

    Between its voxels the volume is trilinear, outside it is zero. It is looked up on planes a voxel of it apart (or
    less) through the slice and at points as dense in the plane; the profile and the blur are weighted sums of these,
    with weights that sum to 1. Slices that move as one share their planes.

    Model as in M. Ebner et al., NeuroImage 206 (2020) 116324, doi:10.1016/j.neuroimage.2019.116324, whose Gaussian is
    1.2 voxels wide in the plane and as wide as the slice through it, cut at 3 standard deviations.

    Parameters
    ----------
    shape, affine
        Of the volume, (z, y, x), and its voxel index to RAS mm.
    slices
        The stack.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        affine: NDArray[np.float64],
        slices: SliceGeometry,
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        self.domain_shape: Shape = tuple(shape)
        self.range_shape: Shape = slices.shape
        self._shape, self._slices, self._device = shape, slices, torch.device(device)
        voxel_mm = float(np.linalg.norm(affine[:3, :3], axis=0).min())
        spacing = np.linalg.norm(slices.affine[:3, :3], axis=0)
        self._rows = _Kernel.in_plane(slices.shape[1], spacing[1], slices.in_plane_blur, voxel_mm, self._device)
        self._columns = _Kernel.in_plane(slices.shape[2], spacing[0], slices.in_plane_blur, voxel_mm, self._device)
        offsets_mm, weights = profile_weights(slices.profile, slices.thickness_mm, voxel_mm)
        self._to_voxels = np.linalg.inv(affine) @ slices.affines()
        self._offsets = offsets_mm / spacing[2]
        self._weights = torch.as_tensor(weights, dtype=torch.float32, device=self._device)
        # in units of a plane: slices of one motion whose planes coincide look them up once
        self._unit = abs(self._offsets[1] - self._offsets[0]) if len(offsets_mm) > 1 else 1.0
        planes = len(self._rows.positions) * len(self._columns.positions)
        self._at_once = max(1, POINTS_AT_ONCE // (planes * math.ceil(1 / self._unit)))
        self._kept: tuple[Tensor, Tensor] | None = None

    def _forward(self, x: Tensor) -> Tensor:
        channels = _channels(x)[None]
        images = []
        for block in self._blocks():
            grid, kernel = self._planes(block)
            images.append(self._average(_lookup(channels, grid)[0], kernel))
        return _joined(torch.cat(images, dim=1), x)

    def _adjoint(self, y: Tensor) -> Tensor:
        channels = _channels(y)
        volume = torch.zeros((1, len(channels), *self._shape), dtype=channels.dtype, device=channels.device)
        for block in self._blocks():
            grid, kernel = self._planes(block)
            spread = self._spread(channels[:, block.start : block.stop], kernel)[None]
            volume = volume + _Spread.apply(spread, grid, self._shape)
        return _joined(volume[0], y)

    def _blocks(self) -> list[range]:
        count = self._slices.shape[0]
        return [range(first, min(first + self._at_once, count)) for first in range(0, count, self._at_once)]

    def _planes(self, block: range) -> tuple[Tensor, Tensor]:
        """The points to look up, (1, planes, rows, columns, 3), and the weights, (slices, planes)."""
        if self._kept is not None:
            return self._kept
        keys: dict[tuple[int, int], int] = {}
        places: list[tuple[int, float]] = []
        shared = self._slices.motions is None
        kernel = torch.zeros(len(block), len(block) * len(self._offsets), device=self._device)
        for row, number in enumerate(block):
            for offset, weight in zip(self._offsets, self._weights, strict=True):
                height = number + offset
                key = (0 if shared else number, round(1e3 * height / self._unit))
                if key not in keys:
                    keys[key] = len(keys)
                    places.append((number, height))
                kernel[row, keys[key]] += weight
        i = self._columns.positions
        j = self._rows.positions
        size = torch.tensor(self._shape[::-1], dtype=torch.float32, device=self._device)
        grid = torch.empty(1, len(places), len(j), len(i), 3, device=self._device)
        for plane, (number, height) in enumerate(places):
            m = torch.as_tensor(self._to_voxels[number], dtype=torch.float32, device=self._device)
            at = m[:3, 3] + m[:3, 2] * height + m[:3, 1] * j[:, None, None] + m[:3, 0] * i[None, :, None]
            # voxel centres to the range that grid_sample takes, whose ends are the volume's faces
            grid[0, plane] = (2 * at + 1) / size - 1
        made = grid, kernel[:, : len(places)]
        if len(block) == self._slices.shape[0]:
            # small enough to be done at once is small enough to be kept
            self._kept = made
        return made

    def _average(self, fine: Tensor, kernel: Tensor) -> Tensor:
        """(channels, planes, fine rows, fine columns) -> (channels, slices, rows, columns)."""
        thick = torch.einsum("sp,cpji->csji", kernel, fine)
        return self._columns.apply(self._rows.apply(thick.transpose(2, 3)).transpose(2, 3))

    def _spread(self, coarse: Tensor, kernel: Tensor) -> Tensor:
        fine = self._rows.transposed(self._columns.transposed(coarse).transpose(2, 3)).transpose(2, 3)
        return torch.einsum("sp,csji->cpji", kernel, fine)


def profile_weights(
    profile: Profile, thickness_mm: float, step_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets in mm through a slice, ``step_mm`` apart or less, and the weights there, which sum to 1."""
    parts = max(1, math.ceil(thickness_mm / step_mm - 1e-6))
    step = thickness_mm / parts
    if profile == "boxcar":
        return np.asarray((np.arange(parts) + 0.5 - parts / 2) * step), np.full(parts, 1 / parts)
    sigma = thickness_mm / _FWHM_PER_SIGMA
    reach = int(_CUT_SIGMAS * sigma / step - parts % 2 / 2 + 0.5)
    # an even number of planes where the slice holds an even number: aligned grids then meet at their voxels
    offsets = (np.arange(2 * reach + parts % 2) + 0.5 - reach - parts % 2 / 2) * step
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return np.asarray(offsets), np.asarray(weights / weights.sum())


@dataclass(frozen=True)
class _Kernel:
    """A weighted sum along one axis: the fine positions in voxels of the stack, and the matrix (coarse, fine)."""

    positions: Tensor
    matrix: Tensor | None

    @classmethod
    def in_plane(cls, count: int, spacing_mm: float, blur: float, voxel_mm: float, device: torch.device) -> _Kernel:
        parts = max(1, math.ceil(spacing_mm / voxel_mm - 0.01)) if blur > 0 else 1
        positions = (torch.arange(count * parts, device=device) + 0.5) / parts - 0.5
        if blur == 0:
            return cls(positions, None)
        sigma = blur / _FWHM_PER_SIGMA
        apart = positions[None, :] - torch.arange(count, device=device)[:, None]
        matrix = torch.where(apart.abs() <= _CUT_SIGMAS * sigma, torch.exp(-0.5 * (apart / sigma) ** 2), 0)
        return cls(positions, matrix / matrix.sum(1, keepdim=True))

    def apply(self, values: Tensor) -> Tensor:
        """Along the last axis."""
        return values if self.matrix is None else values @ self.matrix.T

    def transposed(self, values: Tensor) -> Tensor:
        """The transpose, along the last axis."""
        return values if self.matrix is None else values @ self.matrix


def _lookup(channels: Tensor, grid: Tensor) -> Tensor:
    return functional.grid_sample(channels, grid, padding_mode="zeros", align_corners=False)


class _Spread(torch.autograd.Function):
    """The adjoint of ``_lookup`` by its first argument; its own derivative is ``_lookup``."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor, shape: tuple[int, int, int]) -> Tensor:
        ctx.save_for_backward(grid)
        volume = torch.zeros((*values.shape[:2], *shape), dtype=values.dtype, device=values.device)
        spread: Tensor = torch.ops.aten.grid_sampler_3d_backward(
            values.contiguous(), volume, grid, 0, 0, False, (True, False)
        )[0]
        return spread

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _lookup(gradient, grid), None, None


def _channels(x: Tensor) -> Tensor:
    """Real and imaginary parts in front: what grid_sample knows."""
    return torch.view_as_real(x).movedim(-1, 0) if x.is_complex() else x[None]


def _joined(channels: Tensor, like: Tensor) -> Tensor:
    return torch.view_as_complex(channels.movedim(0, -1).contiguous()) if like.is_complex() else channels[0]
