"""IFNet: frames between the measured ones, at any time, by the motion that a trained network sees."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.interpolated_series import (
    PICTURES_ON_CPU,
    PICTURES_ON_GPU,
    InterpolationParameters,
    check_request,
    interpolated_series,
)
from DynamicMRIReconLib.methods.registry import register

#: of one CPU core, for each voxel of an interpolated picture
SECONDS_PER_VOXEL = 2.3e-6
#: seconds to load the network and to see a picture for the first time
START_S = 0.3
#: working memory of the network for each voxel of a picture
BYTES_PER_VOXEL = 450.0


class IfnetParameters(InterpolationParameters):
    """Parameters of ``ifnet``."""

    weights: str = parameter(
        "ifnet-speech", "Trained weights: the name of a model that comes with the program, or a .safetensors file."
    )


@register
class Ifnet(Method):
    """``x(t) = m(t) warp(x_0, f_0(t)) + (1 - m(t)) warp(x_1, f_1(t)) + correction(t)`` between frames ``x_0``, ``x_1``.

    A network sees both frames and the time t and gives the flows f, the share m and the correction, coarse to fine. All
    measured frames stay as they are. What is in between is interpolated, not measured: it is marked synthetic, and
    motion that comes and goes between two frames is not in it. Where a scene is cut or nothing moves, frames are
    repeated.
    """

    key = "ifnet"
    title = "IFNet (frames in between)"
    description = "A trained network adds frames between the measured ones, at any frame rate; they are synthetic."
    citation = (
        "Z. Huang, T. Zhang, W. Heng, B. Shi, S. Zhou. Real-time intermediate flow estimation for video frame "
        "interpolation. ECCV 2022, LNCS 13674, 624-642. doi:10.1007/978-3-031-19781-9_36"
    )
    input_kind = "series"
    prefers_gpu = True
    Parameters = IfnetParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {"fast": {}, "standard": {}, "faithful": {}}

    def why_not(self, data: Data) -> str | None:
        """A series of two frames or more fits."""
        reason = super().why_not(data)
        if reason is None and isinstance(data, ImageSeries) and data.frames < 2:
            return f"{self.title} needs at least 2 frames; this series has 1."
        return reason

    def estimate(self, data: Data, parameters: IfnetParameters, device: str) -> Estimate:
        """The network for every picture in between."""
        assert isinstance(data, ImageSeries)
        asked = parameters.frame_times(data.times_s)
        shape = data.array.shape[1:]
        return interpolation_estimate(
            estimates.input_bytes(data), data.array.itemsize, shape, asked.synthetic, device, bool(parameters.save_flow)
        )

    def run(self, data: ImageSeries, parameters: IfnetParameters, context: Context) -> ImageSeries:
        """Interpolate: the kind (real or complex) and intensity scale of the input."""
        check_request(parameters, data.times_s)
        return interpolated_series(data, parameters, parameters.weights, context)


def interpolation_estimate(
    input_bytes: float, itemsize: int, shape_zyx: tuple[int, ...], synthetic: np.ndarray, device: str, flow: bool
) -> Estimate:
    """Memory and time of interpolating the frames that are ``synthetic`` (frames of the result,)."""
    voxels = math.prod(shape_zyx)
    on_cpu = device == "cpu"
    pictures = (2 if flow else 1) * int(synthetic.sum())
    block = PICTURES_ON_CPU if on_cpu else PICTURES_ON_GPU
    result = spool.kept_bytes(estimates.result_bytes(len(synthetic), voxels, itemsize))
    vectors = spool.kept_bytes(12.0 * len(synthetic) * voxels) if flow else 0.0
    working = block * math.prod(shape_zyx[1:]) * BYTES_PER_VOXEL
    memory = estimates.PROGRAM_BYTES + estimates.NETWORK_BYTES + input_bytes + vectors
    memory += max(estimates.RESULTS * result, result + working)
    return Estimate(memory, estimates.seconds(device, networks=START_S + pictures * voxels * SECONDS_PER_VOXEL))
