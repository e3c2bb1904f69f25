"""The one run of all methods of the form ``min_x |A x - y|^2 / 2 + penalties``: they differ in their penalties only.

A is the acquisition model of all coils and frames (orthonormal Fourier transform, samples not weighted: the maximum
likelihood for white noise), and the data are scaled so that the image is about 1. Regularisation weights therefore mean
the same for every scanner and number of spokes: they are compared with image values of 1 and the noise of one sample.

All have a small ``smoothness |spatial gradient of x|^2 / 2`` beside their penalty (none in the preset ``faithful``).
Differences between frames, for example, say nothing of what does not move, and so let the noise of the highest spatial
frequencies through, which few samples hold down. Solvers that are stopped early hide this; these converge.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.figures import figures_of
from DynamicMRIReconLib.methods.common.frames import Preview
from DynamicMRIReconLib.methods.common.kspace_parameters import KSpaceParameters
from DynamicMRIReconLib.methods.common.preparation import with_density
from DynamicMRIReconLib.methods.common.problem import (
    INNER_ITERATIONS,
    INNER_ITERATIONS_CARTESIAN,
    START_STEPS,
    Problem,
    prepare,
)
from DynamicMRIReconLib.methods.common.slices import reconstruct_slices

if TYPE_CHECKING:
    from torch import Tensor

#: samples of a slice that exist at the same time: scaled ones, and what is explained of them
SAMPLES_AT_ONCE = 4
#: seconds of one core for each voxel once: first series, sampling density, figures
SET_UP_PER_VOXEL, SET_UP_PER_VOXEL_CARTESIAN = 1.0e-6, 0.5e-6


class RegularisedParameters(KSpaceParameters):
    """What the regularised methods have in common."""

    iterations: int = parameter(12, "Iterations; more come closer to the minimum.", ge=1, le=1000)
    smoothness: float = parameter(
        0.001,
        "Weight of the squared spatial gradient: keeps noise out of what samples and penalty leave open; 0 for none.",
        ge=0.0,
        le=10.0,
        advanced=True,
    )
    tolerance: float = parameter(
        1e-3, "Stop when an iteration changes the series by less than this part of it.", ge=0.0, lt=1.0, advanced=True
    )


class TemporalParameters(RegularisedParameters):
    """What the methods that compare neighbouring frames have in common."""

    cyclic: bool = parameter(
        True,
        "Compare the last frame with the first too: steadier ends, fit for heart beats and other motion that comes "
        "back; off where the object does not, as in contrast uptake.",
        advanced=True,
    )


def run_regularised(
    kspace: KSpace,
    parameters: RegularisedParameters,
    context: Context,
    solve: Callable[[Problem], Tensor],
    penalties: Callable[[Problem, Any], Sequence[tuple[Any, float]]],
    parts: tuple[str, ...] = (),
    weighted: bool = False,
) -> ImageSeries:
    """Prepare each slice as a ``Problem``, let ``solve`` minimise it, and restore scale, geometry and times.

    ``solve`` returns (frames, z, y, x), or with names of ``parts`` (parts, frames, z, y, x); ``penalties`` are those
    that it minimised, for the figures of the result.
    """
    context.step(0.0, "density weights")
    preview = Preview(context)

    def one_slice(one: KSpace, part: Context) -> NDArray[np.complex64]:
        weights = one.density if weighted else None
        problem = prepare(one, parameters, part, preview, weights=weights, smoothness=parameters.smoothness)
        solution = solve(problem)
        part.add_figures(**figures_of(problem, parameters, solution, penalties))
        array: NDArray[np.complex64] = (solution * problem.scale).cpu().numpy()
        return array

    return reconstruct_slices(with_density(kspace), context, one_slice, parts)


def minimise(problem: Problem, parameters: RegularisedParameters, terms: Sequence[tuple[Any, float]]) -> Tensor:
    """ADMM from the smooth start. ``terms``: each penalty with the weight of its constraint (the pace)."""
    from DynamicMRIReconLib.solvers.admm import admm

    weights = [weight for _, weight in terms]
    return admm(
        problem.gram,
        problem.rhs,
        [penalty for penalty, _ in terms],
        weights,
        x0=problem.start(),
        preconditioner=problem.preconditioner([(penalty.smoothness, weight) for penalty, weight in terms]),
        iterations=parameters.iterations,
        inner_iterations=problem.inner_iterations,
        tolerance=parameters.tolerance,
        energy=problem.energy,
        misfit=problem.watched,
        callback=problem.callback(parameters.iterations),
        keep=problem.loop("admm", parameters.iterations),
    )


def pace(weight: float, typical: float = 0.1) -> float:
    """A constraint weight for which the first thresholds are of the size of ``typical`` values of K x."""
    return max(weight / typical, 0.02)


class RegularisedMethod(Method):
    """A method that is its penalties: subclasses give the class variables and ``penalties``."""

    input_kind = "kspace"
    #: fewest frames with which the method makes sense
    needs_frames: ClassVar[int] = 2
    #: series that exist at the same time: the unknown, split and dual variables, directions, temporaries
    series_at_once: ClassVar[int] = 24
    #: seconds of one core for each voxel and iteration, besides the transforms
    seconds_per_voxel: ClassVar[float] = 0.45e-6
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"iterations": 6},
        "standard": {},
        "faithful": {"iterations": 60, "tolerance": 1e-5, "smoothness": 0.0},
    }

    @abstractmethod
    def penalties(self, problem: Problem, parameters: Any) -> Sequence[tuple[Any, float]]:
        """The penalties, each with the weight of its constraint (see ``solvers.admm`` and ``pace``)."""

    def why_not(self, data: Data) -> str | None:
        """K-space with enough frames fits."""
        reason = super().why_not(data)
        if reason is None and isinstance(data, KSpace) and data.frames < self.needs_frames:
            return (
                f"{self.title} compares frames and needs at least {self.needs_frames}; this k-space has {data.frames}: "
                "use tv or cg-sense."
            )
        return reason

    def estimate(self, data: Data, parameters: Any, device: str) -> Estimate:
        """All frames are in memory together."""
        assert isinstance(data, KSpace)
        # where the gram is a convolution, the misfit that is shown takes a forward transform an iteration
        each = INNER_ITERATIONS_CARTESIAN if data.trajectory is None else INNER_ITERATIONS + 0.6
        set_up = SET_UP_PER_VOXEL_CARTESIAN if data.trajectory is None else SET_UP_PER_VOXEL
        return self._estimate(data, parameters, device, parameters.iterations * each + START_STEPS + 3, set_up)

    def _estimate(
        self, data: KSpace, parameters: Any, device: str, transforms: float, set_up_per_voxel: float
    ) -> Estimate:
        """With so many pairs of transforms, and seconds for each voxel once."""
        coils = parameters.most_coils(data)
        voxels = data.frames * math.prod(data.matrix)
        others = voxels * (parameters.iterations * self.seconds_per_voxel + set_up_per_voxel)
        together = estimates.voxels_together(data) / math.prod(data.matrix)
        samples = 8.0 * data.frames * coils * math.prod(data.samples.shape[2:]) * together
        working = self.series_at_once * 8.0 * voxels * together + SAMPLES_AT_ONCE * samples
        working += estimates.kernel_bytes(data) * data.frames
        return estimates.estimate(data, device, coils, transforms, working, maps=True, others=others)

    def run(self, data: KSpace, parameters: Any, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data."""
        return run_regularised(
            data,
            parameters,
            context,
            lambda problem: minimise(problem, parameters, self.penalties(problem, parameters)),
            self.penalties,
        )
