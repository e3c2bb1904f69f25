"""Cardiac video super-resolution: finer frames of a beating heart, by a trained network that knows the phase."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, Parameters, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.finer_grid import on_finer_grid
from DynamicMRIReconLib.methods.common.trained import BRIGHT_PERCENT, about, common_facts, load_model
from DynamicMRIReconLib.methods.registry import register

if TYPE_CHECKING:
    from DynamicMRIReconLib.cardiac.phase import CardiacPhase
    from DynamicMRIReconLib.methods.common.coarse_kspace import CoarseKSpace
    from DynamicMRIReconLib.networks.cardiac_vsr import CardiacVSR

#: fewer frames show no heartbeat
FEWEST_FRAMES = 4
#: of one CPU core with the networks that ship, for each coarse voxel of a frame, and for each fine one
SECONDS_PER_VOXEL, SECONDS_PER_FINE_VOXEL = 1.45e-5, 1.5e-7
#: seconds to load the network and to see a picture for the first time
START_S = 0.5
#: the same networks' features and hidden states, for each coarse voxel of a frame
BYTES_PER_VOXEL = 300.0
#: k-space of a finer frame and what it is compared with, for each fine voxel
BYTES_PER_FINE_VOXEL = 48.0
#: frames that go through the network together; longer series go in parts, each warmed up by the frames around it
MOST_FRAMES = 256


class CardiacVsrParameters(Parameters):
    """Parameters of ``cardiac-vsr``."""

    scale: int = parameter(2, "How many times finer voxels become along x and y.", ge=2, le=4)
    weights: str = parameter(
        "", "Trained weights: the name of a model, or a .safetensors file; empty takes the one for the scale."
    )
    ed_frame: int | None = parameter(
        None, "End-diastolic frame, counted from 0. Automatic: trigger times, else where the ventricles are largest.",
        ge=0, unit="frame",
    )  # fmt: skip
    es_frame: int | None = parameter(
        None, "End-systolic frame, counted from 0. Automatic: where the ventricles are smallest.", ge=0, unit="frame"
    )
    beats: float | None = parameter(
        None, "Heartbeats in the series. Automatic: from when the images come back.", gt=0, unit="beats"
    )
    info_file: str = parameter(
        "", "Text file with lines ED: and ES:, counted from 1, as in the ACDC data (Info.cfg).", advanced=True
    )
    warmup: int = parameter(
        6, "Frames before and after the series, taken cyclically, that warm the memory up.",
        ge=0, le=32, unit="frames", advanced=True,
    )  # fmt: skip
    data_consistency: bool = parameter(
        True, "Keep what was measured: the result has the input's part of k-space, and the network adds the rest.",
        advanced=True,
    )  # fmt: skip


@register
class CardiacVsr(Method):
    """``y_t = up(f_t + fusion(h_s, p_s; |s - t| <= N))``: features f, forward and backward memories h, phases p.

    Features of each frame go through convolutional memories in both directions of time, round the heartbeat, and are
    refined by what the memories of neighbouring frames hold at their cardiac phase; then pixel shuffle makes finer
    voxels. What the input has of k-space is kept; detail beyond is what such images looked like in training: it is
    estimated, not measured.
    """

    key = "cardiac-vsr"
    title = "Cardiac video super-resolution"
    description = "A trained network makes a cardiac cine 2, 3 or 4 times finer, using the whole heartbeat."
    citation = (
        "J. Y. Lin, Y. C. Chang, W. H. Hsu. Efficient and phase-aware video super-resolution for cardiac MRI. MICCAI "
        "2020, LNCS 12264, 66-76. doi:10.1007/978-3-030-59719-1_7"
    )
    input_kind = "series"
    prefers_gpu = True
    Parameters = CardiacVsrParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"warmup": 2},
        "standard": {},
        "faithful": {"data_consistency": False},
    }

    def why_not(self, data: Data) -> str | None:
        """A series long enough to hold a heartbeat fits."""
        reason = super().why_not(data)
        if reason is None and isinstance(data, ImageSeries) and data.frames < FEWEST_FRAMES:
            return (
                f"{self.title} needs a heartbeat of {FEWEST_FRAMES} frames or more; this series has {data.frames}: "
                "use bicubic."
            )
        return reason

    def estimate(self, data: Data, parameters: CardiacVsrParameters, device: str) -> Estimate:
        """The network over all frames and slices."""
        assert isinstance(data, ImageSeries)
        frames = data.frames + 2 * parameters.warmup
        slices, plane = data.array.shape[1], math.prod(data.array.shape[2:])
        result = estimates.result_bytes(data.frames, slices * plane * parameters.scale**2, 4)
        each = SECONDS_PER_VOXEL + parameters.scale**2 * SECONDS_PER_FINE_VOXEL
        memory = estimates.PROGRAM_BYTES + estimates.NETWORK_BYTES + 2 * estimates.input_bytes(data)
        together = min(data.frames, MOST_FRAMES) + 2 * parameters.warmup
        memory += estimates.RESULTS * spool.kept_bytes(result) + together * plane * BYTES_PER_VOXEL
        memory += plane * parameters.scale**2 * BYTES_PER_FINE_VOXEL
        seconds = START_S + frames * slices * plane * each
        return Estimate(memory, estimates.seconds(device, networks=seconds))

    def run(self, data: ImageSeries, parameters: CardiacVsrParameters, context: Context) -> ImageSeries:
        """Super-resolve: float32 magnitudes in the intensity scale of the input."""
        from DynamicMRIReconLib.cardiac.phase import find_phase

        context.step(0.0, "loading the network")
        weights = parameters.weights or f"cardiac-vsr-x{parameters.scale}"
        model = load_model(weights, "cardiac-vsr", facts(data, parameters.scale), context)
        network: Any = model.network
        if network.scale != parameters.scale:
            raise InputError(f"{model.path.name} makes images {network.scale} times finer, not {parameters.scale}.")
        series = data.magnitude()
        context.step(0.0, "cardiac phase")
        phase = find_phase(
            series,
            ed_frame=parameters.ed_frame,
            es_frame=parameters.es_frame,
            beats=parameters.beats,
            info_file=Path(parameters.info_file) if parameters.info_file else None,
        )
        _tell(phase, context)
        array = super_resolved(series.array, phase, network, parameters, context)
        found = {"ed_frame": phase.ed_frame, "es_frame": phase.es_frame, "frames_per_beat": phase.frames_per_beat}
        context.add_figures(**found)
        before = series.metadata.get("models")
        models = {**(before if isinstance(before, dict) else {}), "cardiac-vsr": about(model)}
        return on_finer_grid(series, array, parameters.scale, models=models, cardiac_phase=phase.notes())


def facts(series: ImageSeries, scale: int) -> dict[str, float]:
    """What the card of a model may speak of: ``matrix`` and ``voxel_size_mm`` of the result, ``frame_time_ms``."""
    size = float(series.geometry.spacing_mm[:2].max()) / scale
    return {"voxel_size_mm": size, **common_facts(scale * max(series.array.shape[-2:]), series.times_s)}


def around(frames: int, warmup: int, *, cyclic: bool) -> NDArray[np.intp]:
    """(frames + 2 warmup,) frame numbers with those before and after: round the beat, or back from either end."""
    numbers = np.arange(-warmup, frames + warmup)
    if cyclic or frames == 1:
        return np.asarray(np.mod(numbers, frames))
    period = 2 * (frames - 1)
    inside = np.mod(numbers, period)
    return np.asarray(np.minimum(inside, period - inside))


def super_resolved(
    array: NDArray[np.float32],
    phase: CardiacPhase,
    network: CardiacVSR,
    parameters: CardiacVsrParameters,
    context: Context,
) -> NDArray[np.float32]:
    """(frames, z, scale y, scale x) of real images (frames, z, y, x), slice by slice, in their intensity scale.

    The network sees intensities up to the 99.9th percentile, as in training; what is brighter, or below 0, is
    interpolated and added, so that nothing is cut off. More than ``MOST_FRAMES`` go in parts, whose memories are warmed
    up by the ``warmup`` frames before and after: those of the network stay small however long the series is.
    """
    from DynamicMRIReconLib.methods.common.coarse_kspace import CoarseKSpace

    warmup = parameters.warmup
    bright = spool.percentile(array, BRIGHT_PERCENT) or spool.peak(array) or 1.0
    frames, slices, height, width = array.shape
    result = spool.empty((frames, slices, network.scale * height, network.scale * width), np.float32)
    numbers = around(frames, warmup, cyclic=phase.is_cyclic)
    parts = [slice(first, min(first + MOST_FRAMES, frames)) for first in range(0, frames, MOST_FRAMES)]
    is_positive = all(array[part].min() >= 0 for part in spool.blocks(array))
    brightest = spool.peak(array) / bright if is_positive else None
    keep = CoarseKSpace((height, width), network.scale, brightest) if parameters.data_consistency else None
    for k in range(slices):
        named = f"slice {k + 1} of {slices}" if slices > 1 else "super-resolution"
        for index, part in enumerate(parts):
            inner = context.part(k * len(parts) + index, slices * len(parts))
            inner.step(0.0, named)
            seen = numbers[part.start : part.stop + 2 * warmup]

            def told(fraction: float, inner: Context = inner, named: str = named) -> None:
                inner.step(fraction, named)

            finer = _finer(array[seen, k] / bright, phase.code[seen], network, warmup, keep, context.device, told)
            for t, image in enumerate(finer, part.start):
                result[t, k] = bright * image
            context.preview(result[part, : k + 1])
            spool.trim()
    for part in spool.blocks(result) if is_positive else ():
        np.maximum(result[part], 0, out=result[part])
    return result


def _finer(
    images: NDArray[np.float32],
    code: NDArray[np.float64],
    network: CardiacVSR,
    warmup: int,
    keep: CoarseKSpace | None,
    device: str,
    step: Callable[[float], None],
) -> Iterator[NDArray[np.float32]]:
    """(scale y, scale x) of each of ``images`` (warmup + frames + warmup, y, x) but those that warm up."""
    import torch

    from DynamicMRIReconLib.networks.upsampler import bicubic

    whole = torch.from_numpy(np.ascontiguousarray(images[:, None]))
    seen = whole.clamp(0, 1).to(device)
    codes = torch.from_numpy(code).float().to(device)
    for t, finer in enumerate(network.super_resolve(seen, codes, warmup, step), warmup):
        rest = whole[t : t + 1] - seen[t : t + 1].cpu()
        image = finer.cpu()[None] + bicubic(rest, network.scale) if rest.any() else finer.cpu()
        image = image.reshape(image.shape[-2:])
        found: NDArray[np.float32] = (image if keep is None else keep(image, whole[t, 0])).numpy()
        yield found


def _tell(phase: CardiacPhase, context: Context) -> None:
    if phase.box is None:
        context.warn(
            "Nothing moves in this series: no cardiac phase was found, and every frame counts as end diastole."
        )
        return
    if phase.es_from == "assumed":
        context.warn("The images do not tell end systole: it is taken to come after 35 % of the beat; name es_frame.")
    if not phase.is_cyclic:
        context.warn(
            "The last frame does not lead back to the first, so this is no whole number of heartbeats: the network's "
            "memory is warmed up backwards from either end instead of round the beat."
        )
