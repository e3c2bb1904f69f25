"""The baseline that needs no iteration: every frame from its own samples by one adjoint transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, Parameters, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.frames import Preview, Step, frames_at_once, in_frame_blocks
from DynamicMRIReconLib.methods.common.preparation import combine_coils, sensitivity_maps, with_density
from DynamicMRIReconLib.methods.common.slices import frame_without_samples, reconstruct_slices
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from torch import Tensor


class GriddingParameters(Parameters):
    """Parameters of ``gridding``."""

    coil_combination: Literal["sensitivity", "root-sum-of-squares"] = parameter(
        "sensitivity", "How coil images become one: by coil sensitivity maps (keeps phase), or root sum of squares."
    )
    nufft_backend: Literal["auto", "finufft", "torchkbnufft"] = parameter(
        "auto", "Library for the non-uniform Fourier transform.", advanced=True
    )
    frames_at_once: int = parameter(0, "Frames in memory together; 0 chooses.", ge=0, unit="frames", advanced=True)


@register
class Gridding(Method):
    """``x = C^H F^H W y``: density compensated adjoint NUFFT, or inverse FFT of zero-filled Cartesian k-space.

    Zero-filled k-space is not multiplied by the acceleration: what was measured keeps its intensity, the mean of the
    image among it when the centre of k-space was sampled.
    """

    key = "gridding"
    title = "Gridding"
    description = "Every frame directly from its own samples: fast, with streaks or aliases when undersampled."
    citation = (
        "J. I. Jackson, C. H. Meyer, D. G. Nishimura, A. Macovski. Selection of a convolution function for Fourier "
        "inversion using gridding. IEEE Trans. Med. Imaging 10 (1991) 473-478. doi:10.1109/42.97598"
    )
    input_kind = "kspace"
    Parameters = GriddingParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"coil_combination": "root-sum-of-squares"},
        "standard": {},
        "faithful": {},
    }

    def why_not(self, data: Data) -> str | None:
        """K-space whose every frame has samples fits."""
        reason = super().why_not(data)
        return reason or (frame_without_samples(data) if isinstance(data, KSpace) else None)

    def estimate(self, data: Data, parameters: GriddingParameters, device: str) -> Estimate:
        """One adjoint transform for each frame."""
        assert isinstance(data, KSpace)
        maps = parameters.coil_combination == "sensitivity"
        working = estimates.block_bytes(data, data.coils, parameters.frames_at_once)
        return estimates.estimate(data, device, data.coils, 0.5, working, maps=maps, in_blocks=True)

    def run(self, data: KSpace, parameters: GriddingParameters, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data (root sum of squares has no phase)."""
        context.step(0.0, "density weights")
        preview = Preview(context)
        return reconstruct_slices(
            with_density(data), context, lambda one, part: _reconstruct(one, parameters, part, preview)
        )


def _reconstruct(
    kspace: KSpace, parameters: GriddingParameters, context: Context, preview: Preview
) -> NDArray[np.complex64]:
    import torch

    from DynamicMRIReconLib.operators.acquisition_model import sampling_operator

    maps: Tensor | None = None
    if parameters.coil_combination == "sensitivity":
        context.step(0.0, "coil sensitivity maps")
        maps = torch.as_tensor(sensitivity_maps(kspace), device=context.device)
    # squares of coil images must stay within single precision whatever unit the scanner used
    scale = spool.peak(kspace.samples)

    def work(frames: slice, step: Step) -> NDArray[np.complex64]:
        step(0.0, "gridding")
        samples = torch.as_tensor(kspace.samples[frames], device=context.device) / scale
        if kspace.density is not None:
            samples = samples * torch.as_tensor(kspace.density[frames], device=context.device)[:, None]
        sampling = sampling_operator(kspace, frames, context.device, parameters.nufft_backend)
        images = sampling.adjoint(samples).reshape(len(samples), kspace.coils, *kspace.matrix)
        image = _root_sum_of_squares(images) if maps is None else combine_coils(images, maps)
        preview.offer(image, scale)
        step(1.0, "gridding")
        array: NDArray[np.complex64] = (image * scale).to(torch.complex64).cpu().numpy()
        return array

    at_once = frames_at_once(kspace.frames, estimates.bytes_per_frame(kspace, kspace.coils), parameters.frames_at_once)
    out = spool.empty((kspace.frames, *kspace.matrix), np.complex64)
    return in_frame_blocks(kspace.frames, at_once, work, context, out)


def _root_sum_of_squares(images: Tensor) -> Tensor:
    return images.abs().square().sum(1).sqrt()
