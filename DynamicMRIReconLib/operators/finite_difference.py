"""Differences between neighbouring voxels or frames, the gradient inside total variation."""

from __future__ import annotations

import torch
from torch import Tensor

from DynamicMRIReconLib.operators.base import LinearOperator, Shape


class FiniteDifferenceOperator(LinearOperator):
    """(frames, z, y, x) -> (len(axes), frames, z, y, x): ``x[i + 1] - x[i]`` along each of ``axes``.

    Parameters
    ----------
    shape
        (frames, z, y, x) of the image series.
    axes
        axes to difference along: 0 is time, 1, 2, 3 are z, y, x.
    periodic
        whether the last difference wraps around to the first element; otherwise it is zero.
    """

    def __init__(self, shape: tuple[int, int, int, int], axes: tuple[int, ...], *, periodic: bool = False) -> None:
        if not axes or not all(0 <= axis < len(shape) for axis in axes):
            raise ValueError(f"FiniteDifferenceOperator takes axes between 0 and {len(shape) - 1}, not {axes}.")
        self.axes, self.periodic = axes, periodic
        self.domain_shape: Shape = tuple(shape)
        self.range_shape: Shape = (len(axes), *shape)

    def _forward(self, x: Tensor) -> Tensor:
        return torch.stack([self._without_wrap(x.roll(-1, axis) - x, axis) for axis in self.axes])

    def _gram(self, x: Tensor) -> Tensor:
        """Twice each element less its neighbours: at the ends, where it has but one, once."""
        result = 2 * len(self.axes) * x
        for axis in self.axes:
            size = x.shape[axis]
            first, last = x.narrow(axis, 0, 1), x.narrow(axis, size - 1, 1)
            result.narrow(axis, 1, size - 1).sub_(x.narrow(axis, 0, size - 1))
            result.narrow(axis, 0, size - 1).sub_(x.narrow(axis, 1, size - 1))
            result.narrow(axis, 0, 1).sub_(last if self.periodic else first)
            result.narrow(axis, size - 1, 1).sub_(first if self.periodic else last)
        return result

    def _adjoint(self, y: Tensor) -> Tensor:
        parts = [self._without_wrap(part, axis) for part, axis in zip(y, self.axes, strict=True)]
        return torch.stack(
            [part.roll(1, axis) - part for part, axis in zip(parts, self.axes, strict=True)],
        ).sum(0)

    def _without_wrap(self, differences: Tensor, axis: int) -> Tensor:
        if self.periodic:
            return differences
        inside = torch.arange(differences.shape[axis], device=differences.device) < differences.shape[axis] - 1
        return differences * inside.reshape([-1 if other == axis else 1 for other in range(differences.ndim)])
