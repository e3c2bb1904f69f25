"""Spatiotemporal neural representation: a network fitted to the samples alone, that can be asked at any time."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.methods.base import Context, Data, Estimate, Method, parameter
from DynamicMRIReconLib.methods.common import estimates
from DynamicMRIReconLib.methods.common.frame_times import FrameTimes, frame_times
from DynamicMRIReconLib.methods.common.kspace_parameters import KSpaceParameters
from DynamicMRIReconLib.methods.common.regularised import SAMPLES_AT_ONCE
from DynamicMRIReconLib.methods.registry import register
from DynamicMRIReconLib.profiles.uncertainty import UNCERTAINTY

if TYPE_CHECKING:
    from DynamicMRIReconLib.methods.common.field_fit import Fitted

#: motion representation: steps of the network at first and in each round, transforms for the start and in each round
FIRST_STEPS, STEPS = 80, 8
START_TRANSFORMS, ROUND_TRANSFORMS = 45, 4
#: seconds of one core for one step of the network, for one voxel in it, and for one number of the hash grid's tables
SECONDS_PER_STEP, SECONDS_PER_ENTRY = 0.015, 6e-9
SECONDS_PER_VOXEL = {"motion": 0.45e-6, "hash-grid": 2.5e-6}
#: the same for layers of the hash grid's network that are 64 wide; it grows with the square
SECONDS_PER_VOXEL_OF_LAYERS = 2e-6
#: seconds besides
START_S = 1.0
#: memory for one voxel in one step
BYTES_PER_VOXEL = {"motion": 220.0, "hash-grid": 2700.0}


class StInrParameters(KSpaceParameters):
    """Parameters of ``st-inr``."""

    representation: Literal["motion", "hash-grid"] = parameter(
        "motion", "motion: an image that moves, and what changes besides; hash-grid: the published network."
    )
    iterations: int = parameter(30, "motion: rounds of the fit.", ge=1, le=1000)
    regularization: float = parameter(
        0.003, "motion: weight of changes from frame to frame that are not motion: less noise.", ge=0.0, le=10.0
    )
    spatial_regularization: float = parameter(
        0.003, "motion: weight of the spatial gradient of the image that moves, which all frames share.", ge=0, le=10.0
    )
    change_regularization: float = parameter(
        0.003, "motion: weight of all that is not motion: more is explained by motion.", ge=0.0, le=10.0, advanced=True
    )
    motion_regularization: float = parameter(
        0.001, "motion: weight of differences of the displacement between neighbours.", ge=0.0, le=10.0, advanced=True
    )
    cyclic: bool = parameter(
        True,
        "motion: the first frame is a neighbour of the last, as for heart beats and other motion that comes back; off "
        "where it does not.",
        advanced=True,
    )
    warm_start: Literal["grasp", "smooth"] = parameter(
        "grasp", "motion: the series that the fit starts from, of grasp or only smooth.", advanced=True
    )
    epochs: int = parameter(500, "hash-grid: steps of the fit over all samples.", ge=1, le=20000, advanced=True)
    temporal_variation: float = parameter(
        0.02, "hash-grid: weight of the mean difference between frames, by the largest.", ge=0.0, le=10.0, advanced=True
    )
    low_rank_regularization: float = parameter(
        0.0002, "hash-grid: weight of the nuclear norm of frames by voxels.", ge=0.0, le=10.0, advanced=True
    )
    epsilon: float = parameter(
        1e-4,
        "hash-grid: squared samples below this count as if they were so large, the brightest voxel being 1.",
        gt=0.0,
        le=100.0,
        advanced=True,
    )
    hidden_width: int = parameter(64, "hash-grid: width of the five hidden layers.", ge=4, le=512, advanced=True)
    table_size: int = parameter(2**19, "hash-grid: entries of a level.", ge=2**8, le=2**24, advanced=True)
    growth: float = parameter(1.38, "hash-grid: factor from level to level.", ge=1.0, le=3.0, advanced=True)
    compiled: bool = parameter(
        False,
        "hash-grid: compile the network first (half a minute; a C++ compiler, on CUDA Triton): the same, faster.",
        advanced=True,
    )
    held_out: float = parameter(
        0.02,
        "Part of the samples that is not fitted: the fit that foretells them best is kept, and ends when it foretells "
        "them worse and worse; 0 fits all samples to the end.",
        ge=0.0,
        le=0.5,
        advanced=True,
    )
    ensemble: int = parameter(
        1,
        "Fits, each without another fifth of the samples; above 1 the result is their mean and comes with its standard "
        "deviation, the part uncertainty.",
        ge=1,
        le=100,
        advanced=True,
    )
    temporal_upsampling: int = parameter(1, "Frames for each measured one, in-between ones synthetic.", ge=1, le=64)
    frames_per_s: float = parameter(0.0, "Frame rate of the result; 0 for the measured frames.", ge=0, unit="1/s")
    save_model: str = parameter("", "File for the fitted representation (.safetensors).", advanced=True)
    model: str = parameter(
        "", "File that save_model wrote for this scan: nothing is fitted, only asked.", advanced=True
    )

    @model_validator(mode="after")
    def _one_fit_to_a_file(self) -> StInrParameters:
        if self.ensemble > 1 and (self.save_model or self.model):
            raise ValueError("a file holds one fit: set ensemble to 1, or leave out save_model and model")
        return self


@register
class StInr(Method):
    """``min over f, |A f - y|^2 / 2 + penalties(f)`` with f a neural representation of the series.

    motion: ``f(r, t) = image(r + displacement(r, t)) + change(r, t)``, multiresolution grids, penalties:
    ``spatial_regularization TV(image) + regularization TV_t(change) + regularization / 3 TV_xy(change) +
    change_regularization |change|_1 + motion_regularization |gradient of displacement|^2 / 2``.
    hash-grid: ``f = network(hash encoding(x, y, t))`` with the relative squared misfit, mean absolute differences
    between frames and the nuclear norm, as published.
    """

    key = "st-inr"
    title = "Spatiotemporal neural representation"
    description = "A network fitted to this scan alone, without training data; can be asked between the frames."
    citation = (
        "J. Feng et al. Spatiotemporal implicit neural representation for unsupervised dynamic MRI reconstruction. "
        "IEEE Trans. Med. Imaging 44 (2025) 2143-2156. doi:10.1109/TMI.2025.3526452"
    )
    input_kind = "kspace"
    prefers_gpu = True
    Parameters = StInrParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "fast": {"iterations": 12},
        "standard": {},
        "faithful": {
            "representation": "hash-grid",
            "epochs": 1600,
            "hidden_width": 128,
            "table_size": 2**24,
            "growth": 2.0,
            "held_out": 0.0,
            "coil_compression": 0,
        },
    }

    def why_not(self, data: Data) -> str | None:
        """Two-dimensional k-space of two frames or more fits."""
        reason = super().why_not(data)
        if reason is not None or not isinstance(data, KSpace):
            return reason
        if data.frames < 2:
            return f"{self.title} needs at least 2 frames; this k-space has 1: use tv or cg-sense."
        if data.trajectory is not None and data.trajectory.shape[-1] == 3:
            return f"{self.title} reconstructs slices; this trajectory covers a volume: use locally-low-rank."
        return None

    def parts_of(self, parameters: StInrParameters) -> tuple[str, ...]:
        """An ensemble says how uncertain it is."""
        return (UNCERTAINTY,) if parameters.ensemble > 1 else ()

    def estimate(self, data: Data, parameters: StInrParameters, device: str) -> Estimate:
        """Transforms, and steps of the network."""
        assert isinstance(data, KSpace)
        kind = parameters.representation
        motion = kind == "motion"
        rounds = 0 if parameters.model else parameters.iterations if motion else parameters.epochs
        transforms = START_TRANSFORMS + ROUND_TRANSFORMS * rounds if motion else rounds
        steps = FIRST_STEPS + STEPS * rounds if motion else rounds
        voxels = data.frames * math.prod(data.matrix[1:])
        entries = 0 if motion else 16 * 2 * parameters.table_size
        layers = 0.0 if motion else SECONDS_PER_VOXEL_OF_LAYERS * (parameters.hidden_width / 64) ** 2
        each = SECONDS_PER_STEP + voxels * (SECONDS_PER_VOXEL[kind] + layers) + entries * SECONDS_PER_ENTRY
        seconds = steps * data.matrix[0] * each
        asked = self._times(data, parameters)
        result = 8.0 * len(asked.times_s) * math.prod(data.matrix)
        # the numbers of 16 levels, their gradients and the two moments of Adam
        table = 16.0 * entries
        coils, fits = parameters.most_coils(data), parameters.ensemble
        samples = 8.0 * data.frames * coils * math.prod(data.samples.shape[2:]) / data.matrix[0]
        working = voxels * BYTES_PER_VOXEL[kind] + SAMPLES_AT_ONCE * samples + 2 * result + table
        working += 2 * fits * result if fits > 1 else 0
        # each fit of an ensemble prepares its own problem; coil maps count once
        others = (fits - 1) * data.frames * data.matrix[0] * coils * estimates.pair_seconds(data) * transforms
        others += fits * (START_S + seconds)
        return estimates.estimate(data, device, coils, transforms, working, maps=True, others=others)

    def run(self, data: KSpace, parameters: StInrParameters, context: Context) -> ImageSeries:
        """Reconstruct: complex64, in the intensity scale of the data, at the frames asked for."""
        from DynamicMRIReconLib.methods.common.ensemble import fit_ensemble, with_deviation
        from DynamicMRIReconLib.methods.common.field_file import check_target, read_fields, write_fields
        from DynamicMRIReconLib.methods.common.field_fit import fit, from_file
        from DynamicMRIReconLib.methods.common.preparation import with_density
        from DynamicMRIReconLib.methods.common.slices import reconstruct_slices

        asked = self._times(data, parameters)
        if parameters.save_model:
            check_target(Path(parameters.save_model))
        fitted: list[Fitted] = []
        settings: dict[str, Any] = {}
        if parameters.model:
            settings, states = read_fields(Path(parameters.model), data)
            fitted = [from_file(settings, state, data, context.device) for state in states]
        ready = iter(fitted)
        done: list[Fitted] = []

        def one_slice(one: KSpace, part: Context) -> np.ndarray:
            part.step(0.0, "density weights")
            if parameters.ensemble > 1:
                return with_deviation(fit_ensemble(one, parameters, part), asked.numbers)
            done.append(next(ready) if fitted else fit(one, parameters, part))
            return done[-1].series(asked.numbers)

        kspace = data if fitted else with_density(data)
        beside = self.parts_of(parameters)
        series = reconstruct_slices(
            kspace,
            context,
            one_slice,
            times_s=asked.times_s,
            synthetic=asked.synthetic,
            beside=beside,
            # of a slice that was done before there would be no representation to save
            keep=not parameters.save_model,
        )
        if parameters.save_model:
            write_fields(Path(parameters.save_model), done[0].settings, [field.state() for field in done], data)
        return series

    @staticmethod
    def _times(data: KSpace, parameters: StInrParameters) -> FrameTimes:
        return frame_times(data.times_s, parameters.temporal_upsampling, parameters.frames_per_s)
