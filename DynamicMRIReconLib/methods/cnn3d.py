"""3D CNN: a trained network that looks at time and space together, in a cascade with the samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.frames import Preview, Step
from DynamicMRIReconLib.methods.common.kspace_parameters import KSpaceParameters
from DynamicMRIReconLib.methods.common.preparation import sensitivity_maps, time_average
from DynamicMRIReconLib.methods.common.slices import frame_without_samples, reconstruct_slices
from DynamicMRIReconLib.methods.common.time_windows import in_time_windows, windows
from DynamicMRIReconLib.methods.common.trained import BRIGHT_PERCENT, about, common_facts, load_model, steps_between
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from DynamicMRIReconLib.models import LoadedModel

#: of one CPU core, for each voxel of a frame and each iteration of the networks that ship
SECONDS_PER_VOXEL = 4e-6
#: the same for each coil and iteration of data consistency in each of them
SECONDS_PER_COIL_ITERATION = 5e-8
#: seconds to load the network and to see a movie for the first time
START_S = 1.5
#: working memory of the network for each voxel of a window
BYTES_PER_VOXEL = 1200.0


class Cnn3dParameters(KSpaceParameters):
    """Parameters of ``cnn3d``."""

    weights: str = parameter(
        "cnn3d-cine", "Trained weights: the name of a model that comes with the program, or a .safetensors file."
    )
    window: int = parameter(
        24, "Frames that go through the network together; a longer series goes in windows.", ge=2, unit="frames"
    )
    overlap: int = parameter(
        8, "Frames that neighbouring windows share; they fade into each other there.", ge=1, unit="frames"
    )
    noise_weight: float = parameter(
        0.0,
        "How much measured samples count beside the network's (0.1 for noisy ones, 10 for good ones); 0 leaves it to "
        "the model: those that ship put samples back as they are.",
        ge=0.0,
        le=1e6,
    )
    coil_iterations: int = parameter(
        12,
        "Iterations of data consistency with several coils: more come nearer to the samples, and amplify noise.",
        ge=1,
        le=1000,
        advanced=True,
    )


@register
class Cnn3d(Method):
    """``x <- DC(x + N_k(x))``: each network ``N_k`` sees some frames before and after; ``DC`` puts samples back.

    ``DC(x)``: the nearest image with ``F C x = y`` at the measured points, for one coil exactly, for several by
    conjugate gradients; with a noise weight v, ``min over z |z - x|^2 + v |M F C z - y|^2``. Start: the zero-filled
    movie, or, for the models that ship, gaps of each frame filled from the frames around. For Cartesian k-t data whose
    lines differ from frame to frame. What was not measured is what hearts looked like in training: structures and
    motion in the result can be invented or missing.
    """

    key = "cnn3d"
    title = "3D CNN (trained network)"
    description = "A network trained on cines removes the aliasing of Cartesian k-t data, looking at time and space."
    citation = (
        "J. Schlemper, J. Caballero, J. V. Hajnal, A. N. Price, D. Rueckert. A deep cascade of convolutional neural "
        "networks for dynamic MR image reconstruction. IEEE Trans. Med. Imaging 37 (2018) 491-503. "
        "doi:10.1109/TMI.2017.2760978"
    )
    input_kind = "kspace"
    prefers_gpu = True
    Parameters = Cnn3dParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"coil_compression": 4, "coil_iterations": 6, "overlap": 4},
        "standard": {},
        "faithful": {"coil_compression": 0, "coil_iterations": 100},
    }

    def why_not(self, data: Data) -> str | None:
        """Cartesian k-space whose every frame has samples fits."""
        reason = super().why_not(data)
        if reason is not None or not isinstance(data, KSpace):
            return reason
        if data.trajectory is not None:
            return (
                f"{self.title} needs Cartesian k-space; these samples lie along a trajectory: use grasp, "
                "locally-low-rank or low-rank-sparse."
            )
        return frame_without_samples(data)

    def estimate(self, data: Data, parameters: Cnn3dParameters, device: str) -> Estimate:
        """The network, and data consistency with several coils."""
        assert isinstance(data, KSpace)
        window = min(parameters.window, data.frames)
        coils = parameters.most_coils(data)
        passes = sum(part.stop - part.start for part in _windows(data.frames, parameters))
        # how long the cascade is only its file knows: three, as the longest that ship
        each = SECONDS_PER_VOXEL
        if coils > 1:
            each += parameters.coil_iterations * coils * SECONDS_PER_COIL_ITERATION
        seconds = START_S + 3 * passes * math.prod(data.matrix) * each
        working = estimates.NETWORK_BYTES + window * math.prod(data.matrix[1:]) * (BYTES_PER_VOXEL + 64.0 * coils)
        return estimates.estimate(data, device, coils, 2.0, working, maps=True, networks=seconds, in_blocks=True)

    def run(self, data: KSpace, parameters: Cnn3dParameters, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data."""
        if parameters.overlap >= parameters.window:
            raise InputError(
                f"Windows of {parameters.window} frames cannot share {parameters.overlap}: lower overlap of cnn3d."
            )
        context.step(0.0, "loading the network")
        model = load_model(parameters.weights, "cnn3d", facts(data), context)
        if parameters.noise_weight and not model.network.iterations:
            context.warn("This model has no data consistency: noise_weight has no effect.")
        if parameters.noise_weight:
            model.network.noise_weight = parameters.noise_weight  # type: ignore[assignment]
        model.network.coil_iterations = parameters.coil_iterations  # type: ignore[assignment]
        preview = Preview(context)
        series = reconstruct_slices(
            data, context, lambda one, part: _reconstruct(one, parameters, model, part, preview)
        )
        return series.with_metadata(models={"cnn3d": about(model)})


def facts(kspace: KSpace) -> dict[str, float]:
    """What the card of a model may speak of: ``acceleration``, ``matrix``, ``frame_time_ms``, ``contrast``."""
    bright = float(np.median([contrast(one) for one in kspace.slices()]))
    common = common_facts(max(kspace.matrix[1:]), kspace.times_s)
    return {"acceleration": kspace.acceleration, "contrast": bright, **common}


def contrast(kspace: KSpace) -> float:
    """Root mean square over the 99.9th percentile of the time average of one slice, coils by root sum of squares.

    Near 0 for a few bright spots on black, 1 for a uniform image; whatever unit the scanner has used.
    """
    average = _average(kspace)
    bright = float(np.percentile(average, BRIGHT_PERCENT))
    return float(np.sqrt(np.mean(average**2))) / bright if bright > 0 else 0.0


def _average(kspace: KSpace) -> NDArray[np.float64]:
    import torch

    from DynamicMRIReconLib.operators.fourier import ifft2c

    assert kspace.mask is not None
    # the scale of the scanner may be anything: squares must not overflow
    peak = spool.peak(kspace.samples) or 1.0
    mean = spool.total(kspace.samples) / np.maximum(spool.total(kspace.mask), 1) / peak
    coils = ifft2c(torch.as_tensor(mean.astype(np.complex64))).numpy()
    average: NDArray[np.float64] = np.sqrt((np.abs(coils).astype(float) ** 2).sum(axis=0))
    return average


def _windows(frames: int, parameters: Cnn3dParameters) -> list[slice]:
    return windows(frames, parameters.window, min(parameters.overlap, parameters.window - 1))


def _reconstruct(
    kspace: KSpace, parameters: Cnn3dParameters, model: LoadedModel, context: Context, preview: Preview
) -> NDArray[np.complex64]:
    import torch

    from DynamicMRIReconLib.operators.coil_compression import compress_coils

    context.step(0.0, "coil sensitivity maps")
    kspace = compress_coils(kspace, parameters.coil_compression, parameters.coil_energy)
    maps = sensitivity_maps(kspace)
    context.step(0.0, "time average")
    average = time_average(kspace, maps, context.device).abs().cpu().numpy()
    scale = float(np.percentile(average, BRIGHT_PERCENT) or average.max() or spool.peak(kspace.samples) or 1.0)
    assert kspace.mask is not None
    mask = kspace.mask
    # one coil of sensitivity 1 is not divided by its map: its samples come back exactly
    plain = kspace.coils == 1 and bool((maps == 1).all())
    coil_maps = None if plain else torch.as_tensor(maps[:, 0], device=context.device)

    def work(frames: slice, step: Step) -> NDArray[np.complex64]:
        name = f"frames {frames.start + 1}-{frames.stop}"
        step(0.0, name)
        samples = torch.as_tensor(kspace.samples[None, frames, :, 0] / np.float32(scale), device=context.device)
        where = torch.as_tensor(mask[None, frames, 0], device=context.device)
        blocks = model.network.blocks
        assert isinstance(blocks, torch.nn.ModuleList)
        layers = [part for part in blocks.modules() if isinstance(part, torch.nn.Conv3d)]
        with torch.inference_mode(), steps_between(layers, lambda fraction: step(fraction, name)):
            movie = model.network(samples, where, coil_maps)[-1][0, :, None] * scale
        preview.offer(movie)
        array: NDArray[np.complex64] = movie.cpu().numpy()
        return array

    result = spool.zeros((kspace.frames, *kspace.matrix), np.complex64)
    return in_time_windows(result, parameters.window, parameters.overlap, work, context.step)
