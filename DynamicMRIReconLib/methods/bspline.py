"""The baseline of volume super-resolution: each stack interpolated, and the mean of them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method
from DynamicMRIReconLib.methods.common import stack_estimates
from DynamicMRIReconLib.methods.common.stack_checks import why_not_stacks
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters
from DynamicMRIReconLib.methods.common.stack_preparation import PreparedStack, PreparedStacks, prepare
from DynamicMRIReconLib.methods.registry import register

_ORDER = 3
_PLANES_AT_ONCE = 8


class BsplineParameters(StackParameters):
    """Parameters of ``bspline``."""


@register
class Bspline(Method):
    """``x(r) = mean of the cubic B-splines through the stacks at r``, over the stacks whose field of view holds r.

    Slices are taken as thin: what they blur stays blurred. It shows what registration alone gives.
    """

    key = "bspline"
    title = "B-spline"
    description = "Interpolates each registered stack on the fine grid and averages them: fast, and blurred."
    citation = (
        "M. Unser. Splines: a perfect fit for signal and image processing. IEEE Signal Process. Mag. 16(6) (1999) "
        "22-38. doi:10.1109/79.799930"
    )
    input_kind = "stacks"
    Parameters = BsplineParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"registration_refinements": 0},
        "standard": {},
        "faithful": {"registration_refinements": 0},
    }

    def why_not(self, data: Data) -> str | None:
        """Two or more stacks of one volume each fit."""
        return super().why_not(data) or why_not_stacks(data)

    def estimate(self, data: Data, parameters: BsplineParameters, device: str) -> Estimate:
        """64 coefficients a voxel and stack."""
        assert isinstance(data, list)
        work = stack_estimates.work_of(data, parameters)
        return stack_estimates.estimate(work, device, seconds=6e-7 * work.voxels * len(data), look_ups=0.0)

    def run(self, data: list[ImageSeries], parameters: BsplineParameters, context: Context) -> ImageSeries:
        """Interpolate: one frame, in the intensity scale of the fixed stack."""
        stacks = prepare(data, parameters, context.part(0, 2))
        return stacks.result(mean_of_splines(stacks, context.part(1, 2)), slice_profile="none")


def mean_of_splines(stacks: PreparedStacks, context: Context) -> NDArray[np.float32]:
    """(z, y, x) on the grid of ``stacks``; zero where no stack lies."""
    total = np.zeros(stacks.grid.shape, np.float32)
    counts = np.zeros(stacks.grid.shape, np.uint8)
    for number, stack in enumerate(stacks.stacks):
        _add(stack, stacks, total, counts, context.part(number, len(stacks.stacks)))
    return np.asarray(total / np.maximum(counts, 1), np.float32)


def _add(
    stack: PreparedStack,
    stacks: PreparedStacks,
    total: NDArray[np.float32],
    counts: NDArray[np.uint8],
    context: Context,
) -> None:
    from scipy.ndimage import map_coordinates, spline_filter

    context.step(0.0, f"Interpolating {stack.name}")
    coefficients = spline_filter(stack.values, _ORDER, np.float32, mode="mirror")
    to_stack = np.linalg.inv(stack.affine)
    size = np.array(stack.values.shape[::-1])
    planes = len(total)
    for first in range(0, planes, _PLANES_AT_ONCE):
        block = slice(first, min(first + _PLANES_AT_ONCE, planes))
        at = stacks.grid.points_mm(block) @ to_stack[:3, :3].T + to_stack[:3, 3]
        inside = ((at >= -0.5) & (at <= size - 0.5)).all(axis=-1)
        values = map_coordinates(coefficients, at[inside][:, ::-1].T, order=_ORDER, mode="mirror", prefilter=False)
        total[block][inside] += values
        counts[block][inside] += 1
        context.step(block.stop / planes, f"Interpolating {stack.name}")
