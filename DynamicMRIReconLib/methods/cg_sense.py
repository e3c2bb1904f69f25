"""Parallel imaging as a least-squares problem for each frame, solved by conjugate gradients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.frames import Preview, Step, frames_at_once, in_frame_blocks
from DynamicMRIReconLib.methods.common.kspace_parameters import COIL_COMPRESSION, KSpaceParameters
from DynamicMRIReconLib.methods.common.preparation import intensity_scale, sensitivity_maps, with_density
from DynamicMRIReconLib.methods.common.slices import frame_without_samples, reconstruct_slices
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from torch import Tensor

    from DynamicMRIReconLib.solvers.status import Status

#: seconds of one core for each voxel and iteration, besides the transforms
SECONDS_PER_VOXEL = 0.1e-6


class CgSenseParameters(KSpaceParameters):
    """Parameters of ``cg-sense``."""

    iterations: int = parameter(12, "The most conjugate gradient iterations; fewer leave less noise.", ge=1, le=1000)
    tolerance: float = parameter(
        1e-4, "A frame is done when its residual has fallen to this part of where it began.", ge=0.0, lt=1.0
    )
    regularization: float = parameter(
        1e-3, "Weight of the squared image beside the squared misfit (Tikhonov): less noise, darker.", ge=0.0, le=100.0
    )
    coil_compression: int = parameter(0, COIL_COMPRESSION, ge=0, unit="coils")
    density_weighting: bool = parameter(
        True,
        "Weight the misfit of non-Cartesian samples by their density: converges several times faster; off weights all "
        "samples alike, the best for white noise given enough iterations.",
        advanced=True,
    )
    frames_at_once: int = parameter(0, "Frames in memory together; 0 chooses.", ge=0, unit="frames", advanced=True)


@register
class CgSense(Method):
    """``min_x |W^(1/2) (F C x - y)|^2 + regularization |x|^2`` for each frame, data scaled so that x is about 1.

    Conjugate gradients on the normal equations from zero, all frames of a block together but each with its own steps.
    """

    key = "cg-sense"
    title = "CG-SENSE"
    description = "Parallel imaging: each frame is the image that explains all coils' samples best (least squares)."
    citation = (
        "K. P. Pruessmann, M. Weiger, P. Bornert, P. Boesiger. Advances in sensitivity encoding with arbitrary k-space "
        "trajectories. Magn. Reson. Med. 46 (2001) 638-651. doi:10.1002/mrm.1241"
    )
    input_kind = "kspace"
    Parameters = CgSenseParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"iterations": 6, "coil_compression": 8},
        "standard": {},
        "faithful": {"iterations": 40, "tolerance": 1e-6, "regularization": 0.0},
    }

    def why_not(self, data: Data) -> str | None:
        """K-space whose every frame has samples fits."""
        reason = super().why_not(data)
        return reason or (frame_without_samples(data) if isinstance(data, KSpace) else None)

    def estimate(self, data: Data, parameters: CgSenseParameters, device: str) -> Estimate:
        """A gram for each iteration and the set-up, which costs about two more."""
        assert isinstance(data, KSpace)
        coils, iterations = parameters.most_coils(data), parameters.iterations
        working = estimates.block_bytes(data, coils, parameters.frames_at_once)
        others = iterations * SECONDS_PER_VOXEL * data.frames * math.prod(data.matrix)
        return estimates.estimate(data, device, coils, iterations + 2, working, maps=True, others=others)

    def run(self, data: KSpace, parameters: CgSenseParameters, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data."""
        context.step(0.0, "density weights")
        preview = Preview(context)
        return reconstruct_slices(
            with_density(data), context, lambda one, part: _reconstruct(one, parameters, part, preview)
        )


def _reconstruct(
    kspace: KSpace, parameters: CgSenseParameters, context: Context, preview: Preview
) -> NDArray[np.complex64]:
    import torch

    from DynamicMRIReconLib.operators.acquisition_model import acquisition_model
    from DynamicMRIReconLib.operators.coil_compression import compress_coils
    from DynamicMRIReconLib.solvers.cg import conjugate_gradient

    context.step(0.0, "coil sensitivity maps")
    kspace = compress_coils(kspace, parameters.coil_compression, parameters.coil_energy)
    maps = sensitivity_maps(kspace)
    device, backend = context.device, parameters.nufft_backend
    scale = intensity_scale(kspace, maps, device, backend)
    weights = kspace.density if parameters.density_weighting else None

    def work(frames: slice, step: Step) -> NDArray[np.complex64]:
        named = f"frames {frames.start + 1}-{frames.stop}"
        step(0.0, named)
        model = acquisition_model(kspace, maps, device, backend, frames=frames, weights=weights)
        samples = torch.as_tensor(kspace.samples[frames], device=device) / scale
        if weights is not None:
            samples = samples * torch.as_tensor(weights[frames], device=device).sqrt()[:, None]

        def gram(x: Tensor) -> Tensor:
            return model.gram(x) + parameters.regularization * x

        def callback(status: Status) -> None:
            preview.offer(status.solution, scale)
            done = f"iteration {status.iteration} of {parameters.iterations}, residual {status.residual:.1e}"
            step(status.iteration / parameters.iterations, f"{named}, {done}")

        image = conjugate_gradient(
            gram,
            model.adjoint(samples),
            iterations=parameters.iterations,
            tolerance=parameters.tolerance,
            callback=callback,
            keep=context.loop(f"{named}/cg", f"iteration {{}} of {parameters.iterations}"),
        )
        array: NDArray[np.complex64] = (image * scale).cpu().numpy()
        size = float(image.abs().square().sum()) / 2
        context.add_figures(
            misfit=float((model.forward(image) - samples).abs().square().sum()) / 2,
            penalty=parameters.regularization * size,
            penalty_per_regularization=size,
        )
        return array

    at_once = frames_at_once(kspace.frames, estimates.bytes_per_frame(kspace, kspace.coils), parameters.frames_at_once)
    return in_frame_blocks(kspace.frames, at_once, work, context)
