"""From undersampled k-space to a sharp movie at a higher frame rate: MICCAN, then IFNet."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.interpolated_series import (
    InterpolationParameters,
    check_request,
    interpolated_series,
)
from DynamicMRIReconLib.methods.ifnet import interpolation_estimate
from DynamicMRIReconLib.methods.miccan import Miccan, MiccanParameters
from DynamicMRIReconLib.methods.registry import register


class SpeechParameters(MiccanParameters, InterpolationParameters):
    """Parameters of ``speech``: those of ``miccan`` and of ``ifnet``."""

    interpolation_weights: str = parameter(
        "ifnet-speech", "Trained weights of the interpolation: a model that comes with the program, or a file."
    )


@register
class Speech(Method):
    """``miccan`` for every measured frame, then ``ifnet`` for the frames between them.

    Twice the frame rate unless another is asked for. Frames in between are interpolated, not measured, and marked
    synthetic; see the two methods for what each of them does, and for what it cannot know.
    """

    key = "speech"
    title = "Speech (MICCAN, then IFNet)"
    description = "Undersampled speech k-space to a sharp movie at twice the frame rate, by two trained networks."
    citation = (
        "High Spatial-Temporal Resolution MRI Reconstruction for Speech Production Analysis: MICCAN (Q. Huang et al., "
        "ISBI 2019, doi:10.1109/ISBI.2019.8759423), then IFNet (Z. Huang et al., ECCV 2022, "
        "doi:10.1007/978-3-031-19781-9_36)."
    )
    input_kind = "kspace"
    prefers_gpu = True
    Parameters = SpeechParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = Miccan.presets

    def why_not(self, data: Data) -> str | None:
        """What fits ``miccan`` fits, from two frames on."""
        reason = super().why_not(data) or Miccan().why_not(data)
        if reason is None and isinstance(data, KSpace) and data.frames < 2:
            return f"{self.title} needs at least 2 frames; this k-space has 1: use miccan."
        return reason

    def estimate(self, data: Data, parameters: SpeechParameters, device: str) -> Estimate:
        """Both, one after the other."""
        assert isinstance(data, KSpace)
        first = Miccan().estimate(data, parameters, device)
        synthetic = parameters.frame_times(data.times_s).synthetic
        second = interpolation_estimate(0, 8, data.matrix, synthetic, device, bool(parameters.save_flow))
        # k-space stays while the frames between are made; the program and its networks are there once
        kept = estimates.input_bytes(data) + estimates.MAPS_BYTES * (data.coil_maps is None and data.coils > 1)
        measured = spool.kept_bytes(estimates.result_bytes(data.frames, math.prod(data.matrix)))
        memory = max(first.memory_bytes, second.memory_bytes + kept + measured)
        return Estimate(memory, first.seconds + second.seconds)

    def run(self, data: KSpace, parameters: SpeechParameters, context: Context) -> ImageSeries:
        """Reconstruct and interpolate: complex64, in the intensity scale of the data."""
        check_request(parameters, data.times_s)
        measured = Miccan().run(data, parameters, context.part(0, 2))
        return interpolated_series(measured, parameters, parameters.interpolation_weights, context.part(1, 2))
