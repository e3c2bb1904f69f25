"""One slice (or a whole volume) of k-space as the least-squares problem that penalties are added to.

Data are scaled so that the image is about 1; ``regularised.py`` says what for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import KSpace
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.frames import Preview
from DynamicMRIReconLib.methods.common.kspace_parameters import KSpaceParameters
from DynamicMRIReconLib.methods.common.preparation import intensity_scale, sensitivity_maps
from DynamicMRIReconLib.methods.kept import Loop

if TYPE_CHECKING:
    from torch import Tensor

    from DynamicMRIReconLib.methods.common.penalties import SeriesShape, Smoothness
    from DynamicMRIReconLib.operators.base import LinearOperator
    from DynamicMRIReconLib.solvers.status import Status

#: conjugate gradient steps from gridding to the smooth series that iterations start from
START_STEPS = 3
#: how smooth that is in time and space; the image is about 1
START_TEMPORAL, START_SPATIAL = 3.0, 0.02
#: conjugate gradient steps in each iteration; whole lines missing on the grid take more, which cost less there
INNER_ITERATIONS = 3
INNER_ITERATIONS_CARTESIAN = 6
#: keeps the preconditioner invertible where nothing was sampled
FLOOR = 1e-3


@dataclass(frozen=True)
class Problem:
    """One slice (or a whole volume), scaled and ready: ``|A x - y|^2 / 2`` with x about 1."""

    kspace: KSpace
    model: LinearOperator
    rhs: Tensor
    samples: Tensor
    density: Tensor
    scale: float
    transform_axes: tuple[int, ...]
    smoothness: float
    context: Context
    preview: Preview

    @property
    def shape(self) -> SeriesShape:
        """(frames, z, y, x)."""
        return (self.kspace.frames, *self.kspace.matrix)

    @property
    def inner_iterations(self) -> int:
        """Conjugate gradient steps in each iteration."""
        return INNER_ITERATIONS if self.kspace.trajectory is not None else INNER_ITERATIONS_CARTESIAN

    @cached_property
    def _gradient(self) -> LinearOperator:
        from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator

        return FiniteDifferenceOperator(self.shape, self.transform_axes, periodic=True)

    def gram(self, x: Tensor) -> Tensor:
        """``A^H A x`` and what the smoothness adds to it."""
        image = self.model.gram(x)
        if self.smoothness > 0:
            image = image.add_(self._gradient.gram(x), alpha=self.smoothness)
        return image

    @cached_property
    def energy(self) -> float:
        """``|y|^2``."""
        import torch

        return float(self.samples.abs().square().sum(dtype=torch.float64))

    def misfit(self, x: Tensor) -> float:
        """``|A x - y|^2 / 2``."""
        return 0.5 * float((self.model.forward(x) - self.samples).abs().square().sum())

    @property
    def watched(self) -> Callable[[Tensor], float] | None:
        """How solvers get ``quadratic`` for the objective they report; None: from a gram that is exact, for nothing."""
        return self.quadratic if self.kspace.trajectory is not None else None

    def quadratic(self, x: Tensor) -> float:
        """All of the function but its penalties: ``misfit`` and ``smoothness |spatial gradient of x|^2 / 2``."""
        if self.smoothness == 0:
            return self.misfit(x)
        return self.misfit(x) + 0.5 * self.smoothness * float(self._gradient.forward(x).abs().square().sum())

    def preconditioner(self, smoothness: Sequence[tuple[Smoothness, float]]) -> Callable[[Tensor], Tensor]:
        """Approximate inverse of the gram plus the penalties' quadratic parts, each with its weight."""
        from DynamicMRIReconLib.operators.preconditioner import SeriesPreconditioner

        return SeriesPreconditioner(
            self.density,
            temporal=sum(s.temporal * weight for s, weight in smoothness),
            wrap=sum(s.wrap * weight for s, weight in smoothness),
            spatial=self.smoothness + sum(s.spatial * weight for s, weight in smoothness),
            identity=FLOOR + sum(s.identity * weight for s, weight in smoothness),
            spatial_axes=self.transform_axes,
            transform_axes=self.transform_axes,
        )

    def start(self) -> Tensor:
        """A series smooth in time and space that fits the samples: where iterations begin."""
        import torch

        from DynamicMRIReconLib.methods.common.penalties import Smoothness
        from DynamicMRIReconLib.operators.finite_difference import FiniteDifferenceOperator
        from DynamicMRIReconLib.solvers.admm import improve

        time = FiniteDifferenceOperator(self.shape, (0,))
        space = FiniteDifferenceOperator(self.shape, self.transform_axes, periodic=True)
        solve = self.preconditioner([(Smoothness(START_TEMPORAL, START_SPATIAL), 1.0)])

        def smooth(x: Tensor) -> Tensor:
            return START_TEMPORAL * time.gram(x) + START_SPATIAL * space.gram(x)

        zero = torch.zeros_like(self.rhs)
        start = improve(self.model.gram, smooth, self.rhs, zero, zero, solve, START_STEPS)[0]
        self.preview.offer(start, self.scale)
        return start

    def loop(self, name: str, iterations: int) -> Loop:
        """Where a solver keeps its state."""
        return self.context.loop(name, f"iteration {{}} of {iterations}")

    def callback(self, iterations: int) -> Callable[[Status], None]:
        """Reports progress, offers previews, and raises ``Cancelled`` when the user asked to stop."""

        def report(status: Status) -> None:
            parts = status.solution.ndim > len(self.shape)
            self.preview.offer(status.solution.sum(0) if parts else status.solution, self.scale)
            self.context.step(
                status.iteration / iterations,
                f"iteration {status.iteration} of {iterations}, objective {status.objective:.4g}",
            )

        return report


def prepare(
    kspace: KSpace,
    parameters: KSpaceParameters,
    context: Context,
    preview: Preview,
    *,
    weights: NDArray[np.float32] | None = None,
    smoothness: float = 0.0,
) -> Problem:
    """Coil compression and maps, scale, acquisition model and sampling density of one slice or volume.

    ``weights``: (frames, shots, readout) or None; samples and model are multiplied by their root. Published methods
    take the density weights.
    """
    import torch

    from DynamicMRIReconLib.operators.acquisition_model import acquisition_model
    from DynamicMRIReconLib.operators.coil_compression import compress_coils
    from DynamicMRIReconLib.operators.preconditioner import sampling_density

    context.step(0.0, "coil sensitivity maps")
    kspace = compress_coils(kspace, parameters.coil_compression, parameters.coil_energy)
    maps = sensitivity_maps(kspace)
    device, backend = context.device, parameters.nufft_backend
    scale = intensity_scale(kspace, maps, device, backend)
    model = acquisition_model(kspace, maps, device, backend, weights=weights)
    samples = torch.as_tensor(kspace.samples, device=device) / scale
    if weights is not None:
        samples = samples * torch.as_tensor(weights, device=device).sqrt()[:, None]
    context.step(0.0, "first image")
    volume = kspace.trajectory is not None and kspace.trajectory.shape[-1] == 3
    return Problem(
        kspace=kspace,
        model=model,
        rhs=model.adjoint(samples),
        samples=samples,
        density=sampling_density(kspace, device, backend),
        scale=scale,
        transform_axes=(1, 2, 3) if volume else (2, 3),
        smoothness=smoothness,
        context=context,
        preview=preview,
    )
