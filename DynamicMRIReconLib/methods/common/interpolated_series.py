"""A series with frames between its own: what the methods ``ifnet`` and ``speech`` have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context, Parameters, parameter
from DynamicMRIReconLib.methods.common.flow_file import check_target, millimetres, write_flow
from DynamicMRIReconLib.methods.common.frame_times import FrameTimes, frame_times
from DynamicMRIReconLib.methods.common.interpolation import Pairs, flows, interpolate, look_at_pairs
from DynamicMRIReconLib.methods.common.trained import about, common_facts, load_model

#: scene cuts that are named one by one
MOST_NAMED = 5
#: pictures in the network together: on the CPU more only take longer until a cancel is seen
PICTURES_ON_CPU, PICTURES_ON_GPU = 8, 64


class InterpolationParameters(Parameters):
    """Which frames the result has, and what is done with the motion between them."""

    temporal_upsampling: int = parameter(
        2, "Frames for each measured one; those in between are interpolated and marked synthetic.", ge=1, le=64
    )
    frames_per_s: float = parameter(
        0.0, "Frame rate of the result, whatever temporal_upsampling says; 0 leaves it to that.", ge=0, unit="1/s"
    )
    cut_threshold: float = parameter(
        0.2,
        "Where more than this part of the picture changes at once, and far more than usual in the series, the scene is "
        "cut: nothing is interpolated there. 0 finds no cuts.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
    save_flow: str = parameter(
        "", "File for the displacement from frame to frame in mm, a sequence of vector volumes (.seq.nrrd).",
        advanced=True,
    )  # fmt: skip

    def frame_times(self, measured_s: np.ndarray) -> FrameTimes:
        """The frames asked for, see ``common.frame_times``."""
        return frame_times(measured_s, 1 if self.frames_per_s > 0 else self.temporal_upsampling, self.frames_per_s)


def check_request(parameters: InterpolationParameters, measured_s: np.ndarray) -> None:
    """Refuse what cannot be done before any time is spent.

    Raises
    ------
    InputError
        Too many frames, or a file that ``save_flow`` must not write.
    """
    parameters.frame_times(measured_s)
    if parameters.save_flow:
        check_target(Path(parameters.save_flow))


def interpolated_series(
    series: ImageSeries, parameters: InterpolationParameters, weights: str, context: Context
) -> ImageSeries:
    """``series`` at the frames asked for, in its intensity scale; measured frames are unchanged, others synthetic.

    ``metadata["models"]`` and, for pairs between which nothing was interpolated, ``metadata["not_interpolated"]`` say
    how it was made.
    """
    check_request(parameters, series.times_s)
    asked = parameters.frame_times(series.times_s)
    context.step(0.0, "loading the network")
    model = load_model(weights, "ifnet", common_facts(max(series.array.shape[-2:]), series.times_s), context)
    context.step(0.0, "looking for scene cuts")
    pairs = look_at_pairs(series.array, parameters.cut_threshold)
    _tell(pairs, series, context)
    at_once = PICTURES_ON_CPU if context.device == "cpu" else PICTURES_ON_GPU
    main = context.part(0, 2) if parameters.save_flow else context
    array = interpolate(series, asked, pairs, model.network, at_once, main)
    if parameters.save_flow:
        vectors = spool.empty((series.frames - 1, *series.array.shape[1:], 3), np.float32)
        for block, displacement in flows(series, pairs, model.network, at_once, context.part(1, 2)):
            vectors[block] = millimetres(displacement, series.affine)
        write_flow(Path(parameters.save_flow), vectors, series, np.flatnonzero(~pairs.moving).tolist())
    assert series.synthetic is not None
    # a frame that was synthetic in the input stays so
    synthetic = asked.synthetic | series.synthetic[np.rint(asked.numbers).astype(int)]
    before = series.metadata.get("models")
    models = {**(before if isinstance(before, dict) else {}), "ifnet": about(model)}
    metadata = {**series.metadata, "models": models}
    if not pairs.moving.all():
        metadata["not_interpolated"] = {
            "static": np.flatnonzero(pairs.static).tolist(),
            "cut": np.flatnonzero(pairs.cut).tolist(),
        }
    return ImageSeries(array, series.affine, asked.times_s, synthetic, metadata)


def _tell(pairs: Pairs, series: ImageSeries, context: Context) -> None:
    cuts = np.flatnonzero(pairs.cut)
    if not len(cuts):
        return
    named = ", ".join(f"{series.times_s[pair]:.3f} s" for pair in cuts[:MOST_NAMED])
    more = f" and {len(cuts) - MOST_NAMED} more" if len(cuts) > MOST_NAMED else ""
    context.warn(
        f"Another picture begins after {named}{more}: there the nearer frame is repeated, nothing is interpolated "
        "(see cut_threshold)."
    )
