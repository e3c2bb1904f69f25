"""MICCAN: a trained cascade of U-Nets that fills what was not measured and keeps what was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.frames import Preview, Step, in_frame_blocks
from DynamicMRIReconLib.methods.common.gridded import ITERATIONS, GriddedFrames, grid_acceleration
from DynamicMRIReconLib.methods.common.kspace_parameters import KSpaceParameters
from DynamicMRIReconLib.methods.common.preparation import sensitivity_maps, with_density
from DynamicMRIReconLib.methods.common.slices import frame_without_samples, reconstruct_slices
from DynamicMRIReconLib.methods.common.trained import about, common_facts, load_model, steps_between
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from DynamicMRIReconLib.models import LoadedModel

#: of one CPU core, for each voxel of a frame
SECONDS_PER_VOXEL = 28e-6
#: seconds to load the network and to see a picture for the first time
START_S = 1.5
#: working memory of the network for each voxel of a frame
BYTES_PER_VOXEL = 2200.0
#: frames in the network together: on the CPU more only take longer until a cancel is seen
FRAMES_ON_CPU, FRAMES_ON_GPU = 4, 64


class MiccanParameters(KSpaceParameters):
    """Parameters of ``miccan``."""

    weights: str = parameter(
        "miccan-speech", "Trained weights: the name of a model that comes with the program, or a .safetensors file."
    )
    frames_at_once: int = parameter(0, "Frames in memory together; 0 chooses.", ge=0, unit="frames", advanced=True)


@register
class Miccan(Method):
    """``x <- DC(x + U_k(x))`` for five U-Nets ``U_k``; the last starts from the zero-filled image again.

    ``DC(x) = x + C^H F^H M (y - F C x)`` puts back what was measured. Every frame on its own, on the Cartesian grid:
    samples of a trajectory are first brought onto the grid points next to it (docs/speech.md). What was not measured is
    what such images looked like in training: structures in the result can be invented or missing.
    """

    key = "miccan"
    title = "MICCAN (trained network)"
    description = "A network trained on speech fills the missing samples of every frame, in milliseconds on a GPU."
    citation = (
        "Q. Huang, D. Yang, P. Wu, H. Qu, J. Yi, D. Metaxas. MRI reconstruction via cascaded channel-wise attention "
        "network. ISBI 2019, 1622-1626. doi:10.1109/ISBI.2019.8759423"
    )
    input_kind = "kspace"
    prefers_gpu = True
    Parameters = MiccanParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"coil_compression": 4},
        "standard": {},
        "faithful": {"coil_compression": 0},
    }

    def why_not(self, data: Data) -> str | None:
        """Two-dimensional k-space whose every frame has samples fits."""
        reason = super().why_not(data)
        if reason is not None or not isinstance(data, KSpace):
            return reason
        if data.trajectory is not None and data.trajectory.shape[-1] == 3:
            return f"{self.title} reconstructs slices; this trajectory covers a volume: use locally-low-rank."
        return frame_without_samples(data)

    def estimate(self, data: Data, parameters: MiccanParameters, device: str) -> Estimate:
        """The network, and for a trajectory the gridding."""
        assert isinstance(data, KSpace)
        transforms = 1.0 if data.trajectory is None else ITERATIONS + 2.0
        at_once = frames_at_once(parameters.frames_at_once, data.frames, device)
        coils = parameters.most_coils(data)
        working = at_once * (math.prod(data.matrix[1:]) * BYTES_PER_VOXEL + estimates.bytes_per_frame(data, coils))
        seconds = START_S + data.frames * math.prod(data.matrix) * SECONDS_PER_VOXEL
        working += estimates.NETWORK_BYTES
        return estimates.estimate(data, device, coils, transforms, working, maps=True, networks=seconds, in_blocks=True)

    def run(self, data: KSpace, parameters: MiccanParameters, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data."""
        context.step(0.0, "loading the network")
        model = load_model(parameters.weights, "miccan", facts(data), context)
        context.step(0.0, "density weights")
        preview = Preview(context)
        series = reconstruct_slices(
            with_density(data), context, lambda one, part: _reconstruct(one, parameters, model, part, preview)
        )
        return series.with_metadata(models={"miccan": about(model)})


def facts(kspace: KSpace) -> dict[str, float]:
    """What the card of a model may speak of: ``acceleration``, ``matrix``, ``frame_time_ms``."""
    return {"acceleration": grid_acceleration(kspace), **common_facts(max(kspace.matrix[1:]), kspace.times_s)}


def frames_at_once(chosen: int, frames: int, device: str) -> int:
    """How many frames go through a network together."""
    return min(frames, chosen or (FRAMES_ON_CPU if device == "cpu" else FRAMES_ON_GPU))


def _reconstruct(
    kspace: KSpace, parameters: MiccanParameters, model: LoadedModel, context: Context, preview: Preview
) -> NDArray[np.complex64]:
    import torch

    from DynamicMRIReconLib.operators.coil_compression import compress_coils

    context.step(0.0, "coil sensitivity maps")
    kspace = compress_coils(kspace, parameters.coil_compression, parameters.coil_energy)
    maps = sensitivity_maps(kspace)
    context.step(0.0, "time average")
    gridded = GriddedFrames(kspace, maps, context.device, parameters.nufft_backend)
    coil_maps = torch.as_tensor(maps[:, 0], device=context.device)
    result = spool.empty((kspace.frames, *kspace.matrix), np.complex64)

    def work(frames: slice, step: Step) -> NDArray[np.complex64]:
        name = f"frames {frames.start + 1}-{frames.stop}"
        step(0.0, name)
        samples, mask = gridded(frames)
        blocks = model.network.blocks
        assert isinstance(blocks, torch.nn.ModuleList)
        with torch.inference_mode(), steps_between(blocks, lambda fraction: step(fraction, name)):
            images = model.network(samples, mask, coil_maps)[-1][:, None]
        preview.offer(images, gridded.scale)
        array: NDArray[np.complex64] = (images * gridded.scale).cpu().numpy()
        return array

    at_once = frames_at_once(parameters.frames_at_once, kspace.frames, context.device)
    return in_frame_blocks(kspace.frames, at_once, work, context, result)
