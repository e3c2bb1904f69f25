"""What a simulated acquisition is told."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from DynamicMRIReconLib.methods.base import Parameters, parameter

#: shots a frame when none are given
DEFAULT_SHOTS = {"radial": 13, "spiral": 6}


class SimulationParameters(Parameters):
    """Parameters of ``simulate``. Empty ones are taken from the scene."""

    trajectory: Literal["radial", "spiral", "cartesian"] = parameter("radial", "How k-space is sampled.")
    matrix: int | None = parameter(
        None, "Image side; empty: the longer side of the series, 128 for a phantom.", unit="voxels", ge=8, le=1024
    )
    frames: int | None = parameter(
        None,
        "Number of frames; empty: what fills duration_s if tr_s is given, else the number of the series, or one every "
        "53 ms of a phantom.",
        unit="frames",
        ge=1,
        le=100_000,
    )
    shots: int | None = parameter(
        None, "Spokes or spiral arms a frame; empty: 13 spokes, 6 arms. Not used for Cartesian.", ge=1, le=4096
    )
    acceleration: float = parameter(4.0, "Cartesian: grid lines over sampled lines.", ge=1, le=64)
    central_lines: int = parameter(
        8, "Cartesian: lines around k = 0 sampled in every frame.", unit="lines", ge=1, le=512
    )
    coils: int = parameter(8, "Receiver coils around the object.", ge=1, le=128)
    noise: float = parameter(
        0.01,
        "Standard deviation of the complex noise of a sample, over the brightest voxel of the true series: with full "
        "Cartesian sampling that voxel has the signal-to-noise ratio 1 / noise.",
        ge=0,
        le=10,
    )
    tr_s: float | None = parameter(
        None, "Time from shot to shot; empty: the acquisition lasts duration_s.", unit="s", gt=0, le=60
    )
    duration_s: float | None = parameter(
        None, "Length of the acquisition; empty: the natural length of the scene.", unit="s", gt=0, le=36_000
    )
    readout_oversampling: int = parameter(
        2, "Samples along the readout for each voxel; not used for Cartesian.", ge=1, le=8, advanced=True
    )
    slices: int | None = parameter(
        None, "Number of slices; empty: as many as the series has, 1 for a phantom.", ge=1, le=256, advanced=True
    )
    times_per_frame: int = parameter(
        0,
        "Moments at which the moving scene is looked at in a frame; 0: every shot at its own time, the real thing.",
        ge=0,
        le=4096,
        advanced=True,
    )
    grid_factor: int = parameter(
        2, "The scene is sampled on a grid finer than the image by this factor.", ge=2, le=8, advanced=True
    )
    include_coil_maps: bool = parameter(
        False, "Give the true coil sensitivity maps with the k-space, instead of having them estimated.", advanced=True
    )
    seed: int = parameter(0, "Seed of noise and random masks.", ge=0)

    @model_validator(mode="after")
    def _one_clock(self) -> SimulationParameters:
        if None not in (self.frames, self.tr_s, self.duration_s):
            raise ValueError("give two of frames, tr_s and duration_s: the third follows from them")
        return self
