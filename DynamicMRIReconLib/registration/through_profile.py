"""Alignment of thick slices with a volume, as the slice profile shows it: of a whole stack, or slice by slice.

Interpolated thick slices pull a registration towards their own blur; here the volume is blurred as the slices are and
compared with what was measured. Gauss-Newton with differences for derivatives: one look at the volume for each
direction of motion serves all slices at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DynamicMRIReconLib.operators.slice_profile import SliceGeometry, SliceProfileOperator

#: a derivative is a difference over this part of the volume's voxel, on both sides
_DELTA_VOXELS = 0.3
_COVERED = 0.98
#: a slice with fewer voxels that count stays where it is
_FEWEST = 60
_DAMPING = 1e-3
#: misfits, of the slice's root mean square, from where on they count less
_OUTLIER = 1.5
#: what a step may be at most
_MOST_VOXELS = 3.0


@dataclass(frozen=True)
class Alignment:
    """What was found.

    Attributes
    ----------
    motions
        (slices, 4, 4) RAS motion of each slice, on top of the stack's affine.
    correlation
        (slices,) normalised cross-correlation of each slice with the volume; NaN where it has too few voxels.
    """

    motions: NDArray[np.float64]
    correlation: NDArray[np.float64]


def align(
    volume: Tensor,
    affine: NDArray[np.float64],
    slices: SliceGeometry,
    samples: Tensor,
    weights: Tensor,
    *,
    slice_by_slice: bool = False,
    iterations: int = 4,
    step: Callable[[float], None] = lambda fraction: None,
) -> Alignment:
    """Move a stack, or each of its slices, to where it fits ``volume`` best.

    Minimises ``sum w |y - a A(motion) x|^2`` with a brightness ``a`` of its own for each slice and weights that fall
    with the size of the misfit, so that single bright or moved places do not decide.

    Parameters
    ----------
    volume, affine
        (z, y, x), and its voxel index to RAS mm.
    slices, samples, weights
        The stack: where it lies now, (slices, rows, columns) values, and which of them count (0 to 1).
    slice_by_slice
        A motion for each slice instead of one for all.
    step
        Called with the fraction done.
    """
    search = _Search(volume, affine, slices, samples, weights, slice_by_slice)
    for iteration in range(iterations):
        step(iteration / iterations)
        if not search.improve():
            break
    return Alignment(search.motions, search.correlation())


class _Search:
    def __init__(
        self,
        volume: Tensor,
        affine: NDArray[np.float64],
        slices: SliceGeometry,
        samples: Tensor,
        weights: Tensor,
        slice_by_slice: bool,
    ) -> None:
        self._volume, self._affine, self._slices, self._samples = volume, affine, slices, samples
        count = slices.shape[0]
        self.motions = np.tile(np.eye(4), (count, 1, 1)) if slices.motions is None else slices.motions.copy()
        self._group = torch.arange(count) if slice_by_slice else torch.zeros(count, dtype=torch.long)
        self._groups = count if slice_by_slice else 1
        covered = self._simulated(self.motions, torch.ones_like(volume)) > _COVERED
        self._weights = weights * covered
        self._counts = self._weights.sum((1, 2))
        self._delta_mm = _DELTA_VOXELS * float(np.linalg.norm(affine[:3, :3], axis=0).min())
        spacing = np.linalg.norm(slices.affine[:3, :3], axis=0)
        extent = spacing[:2] * slices.shape[:0:-1]
        self._radius_mm = float(np.linalg.norm(extent)) / 4
        self._damping = torch.full((self._groups,), _DAMPING)
        self._now = self._simulated(self.motions, volume)

    def improve(self) -> bool:
        """One step; whether any group still moves by more than a hundredth of a voxel."""
        error, brightness, robust = self._misfit(self._now)
        columns = []
        for direction in range(6):
            ends = [self._simulated(self._moved(self._unit(direction, sign)), self._volume) for sign in (1, -1)]
            columns.append(brightness[:, None, None] * (ends[0] - ends[1]) / 2)
        jacobian = torch.stack(columns)
        weighted = robust * jacobian
        hessian = self._summed(torch.einsum("asij,bsij->sab", weighted, jacobian))
        slope = self._summed(torch.einsum("asij,sij->sa", weighted, error))
        diagonal = torch.diagonal(hessian, dim1=1, dim2=2)
        floor = diagonal.mean(1, keepdim=True).clamp_min(1e-20)
        damped = hessian + torch.diag_embed(self._damping[:, None] * floor + 1e-6 * diagonal)
        steps = torch.linalg.solve(damped, slope)
        # in units of delta, so that a length is a length for turns as well
        length = steps.norm(dim=1, keepdim=True)
        steps = steps * (_MOST_VOXELS / _DELTA_VOXELS / length.clamp_min(1e-12)).clamp_max(1.0)
        enough = torch.zeros(self._groups).index_add_(0, self._group, self._counts) >= _FEWEST
        steps[~enough] = 0
        moved = self._moved(steps)
        then = self._simulated(moved, self._volume)
        better = self._cost(then, robust) < self._cost(self._now, robust)
        accepted = better[self._group]
        self.motions[accepted.numpy()] = moved[accepted.numpy()]
        self._now = torch.where(accepted[:, None, None], then, self._now)
        self._damping = torch.where(better, self._damping / 4, self._damping * 16)
        return bool((better & (length[:, 0] * _DELTA_VOXELS > 0.01)).any()) or bool((~better & enough).any())

    def correlation(self) -> NDArray[np.float64]:
        """Of each slice with the volume where they are now."""
        w = self._weights / self._counts.clamp_min(1)[:, None, None]
        a, b = self._now, self._samples
        a = a - (w * a).sum((1, 2), keepdim=True)
        b = b - (w * b).sum((1, 2), keepdim=True)
        value = (w * a * b).sum((1, 2)) / ((w * a * a).sum((1, 2)) * (w * b * b).sum((1, 2))).sqrt().clamp_min(1e-20)
        return np.asarray(torch.where(self._counts >= _FEWEST, value, torch.nan).double())

    def _misfit(self, simulated: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        w = self._weights
        brightness = (w * simulated * self._samples).sum((1, 2)) / (w * simulated**2).sum((1, 2)).clamp_min(1e-12)
        error = self._samples - brightness[:, None, None] * simulated
        # of each slice its own: a scale for all would call a slice that moved an outlier as a whole
        spread = ((w * error**2).sum((1, 2)) / self._counts.clamp_min(1)).sqrt()
        scale = (_OUTLIER * spread).clamp_min(1e-6)[:, None, None]
        return error, brightness, w / (1 + (error / scale) ** 2)

    def _cost(self, simulated: Tensor, robust: Tensor) -> Tensor:
        error, _, _ = self._misfit(simulated)
        return self._summed((robust * error**2).sum((1, 2)))

    def _summed(self, per_slice: Tensor) -> Tensor:
        """Per slice to per group."""
        total = torch.zeros(self._groups, *per_slice.shape[1:], dtype=per_slice.dtype)
        return total.index_add_(0, self._group, per_slice)

    def _unit(self, direction: int, sign: int) -> Tensor:
        steps = torch.zeros(self._groups, 6)
        steps[:, direction] = sign
        return steps

    def _moved(self, steps: Tensor) -> NDArray[np.float64]:
        """The motions with ``steps`` (groups, 6), in units of delta, put on top: shifts, then turns."""
        moved = np.empty_like(self.motions)
        scaled = steps.double().numpy() * self._delta_mm
        middle = (np.array(self._slices.shape[::-1]) - 1) / 2
        for number, motion in enumerate(self.motions):
            group = int(self._group[number])
            place = middle if self._groups == 1 else np.array([*middle[:2], number])
            # all slices of a group have one motion, so any of them tells where its middle is
            centre = (motion @ self._slices.affine @ np.append(place, 1))[:3]
            moved[number] = _rigid(scaled[group, :3], scaled[group, 3:] / self._radius_mm, centre) @ motion
        return moved

    def _simulated(self, motions: NDArray[np.float64], volume: Tensor) -> Tensor:
        geometry = self._slices
        if self._groups == 1:
            placed = replace(geometry, affine=motions[0] @ geometry.affine, motions=None)
        else:
            placed = replace(geometry, motions=motions)
        return SliceProfileOperator(tuple(volume.shape), self._affine, placed)(volume)  # type: ignore[arg-type]


def _rigid(
    shift_mm: NDArray[np.float64], turn: NDArray[np.float64], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turn by the rotation vector ``turn`` (radians) about ``centre``, then shift."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    matrix[:3, 3] = centre + shift_mm - matrix[:3, :3] @ centre
    return matrix
