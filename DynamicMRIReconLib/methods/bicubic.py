"""The baseline of cardiac super-resolution: each frame interpolated."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, Parameters, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.finer_grid import on_finer_grid
from DynamicMRIReconLib.methods.registry import register

#: of one CPU core, for each voxel of the result
SECONDS_PER_VOXEL = 2.6e-8
#: results that exist together while one is made and written
RESULTS = 1.15


class BicubicParameters(Parameters):
    """Parameters of ``bicubic``."""

    scale: int = parameter(2, "How many times finer voxels become along x and y.", ge=2, le=4)
    parity: bool = parameter(
        False,
        "Interpolate as the published baseline does: corner voxels stay, all others are displaced by up to half "
        "a voxel. Only to reproduce its figures.",
        advanced=True,
    )


@register
class Bicubic(Method):
    """Cubic convolution with a = -0.75, frame by frame and slice by slice; the field of view stays.

    It adds no detail: it shows what a finer grid alone gives.
    """

    key = "bicubic"
    title = "Bicubic"
    description = "Interpolates each frame to 2, 3 or 4 times finer voxels: smooth, without new detail."
    citation = (
        "R. G. Keys. Cubic convolution interpolation for digital image processing. IEEE Trans. Acoust. Speech Signal "
        "Process. 29 (1981) 1153-1160. doi:10.1109/TASSP.1981.1163711"
    )
    input_kind = "series"
    Parameters = BicubicParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {"fast": {}, "standard": {}, "faithful": {"parity": True}}

    def estimate(self, data: Data, parameters: BicubicParameters, device: str) -> Estimate:
        """A pass over the result."""
        assert isinstance(data, ImageSeries)
        voxels = data.array.size * parameters.scale**2
        result = estimates.result_bytes(data.frames, voxels // data.frames, data.array.itemsize)
        memory = estimates.PROGRAM_BYTES + estimates.input_bytes(data) + RESULTS * result
        return Estimate(memory, estimates.seconds("cpu", transforms=voxels * SECONDS_PER_VOXEL))

    def run(self, data: ImageSeries, parameters: BicubicParameters, context: Context) -> ImageSeries:
        """Interpolate: the kind (real or complex) and the intensities of the input."""
        import torch

        from DynamicMRIReconLib.networks.upsampler import bicubic

        if parameters.parity:
            context.warn(
                "With parity, what lies between the corners is displaced by up to half a voxel of the input, as in the "
                "published baseline: do not measure on it."
            )
        scale, (height, width) = parameters.scale, data.array.shape[2:]
        array = np.empty((*data.array.shape[:2], scale * height, scale * width), data.array.dtype)
        for t, frame in enumerate(data.array):
            context.step(t / data.frames, f"frame {t + 1} of {data.frames}")
            parts = (frame.real, frame.imag) if frame.dtype.kind == "c" else (frame,)
            finer = [
                bicubic(torch.from_numpy(np.ascontiguousarray(part))[:, None], scale, aligned=not parameters.parity)
                for part in parts
            ]
            array[t].real = finer[0][:, 0].numpy()
            if len(finer) > 1:
                array[t].imag = finer[1][:, 0].numpy()
        return on_finer_grid(data, array, scale)
