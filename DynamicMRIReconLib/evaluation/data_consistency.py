"""How much of the measured data a reconstruction leaves unexplained, frame by frame: no reference is needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError

#: after so many frames the memory of those before is given back
FRAMES_TO_TRIM = 64


def data_consistency(
    kspace: KSpace,
    series: ImageSeries,
    *,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda _fraction: None,
) -> NDArray[np.float64]:
    """(frames,) ``|A x_t - y_t| / |y_t|`` over all measured samples of all coils and slices.

    0 means that the images explain every sample, noise included; 1 means that they explain nothing. A good
    reconstruction ends near the noise's share of the signal; one frame far above its neighbours is not to be believed.
    ``A`` has the coil maps of ``kspace``, or estimated ones.

    Parameters
    ----------
    series
        Complex, as ``reconstruct`` gives it, on the grid and in the intensity scale of ``kspace``.
    progress
        Called with the fraction done after each frame; may raise to stop.

    Raises
    ------
    InputError
        The series has no phase, another shape than the k-space, or a frame has no signal.
    """
    import torch

    from DynamicMRIReconLib.methods.common.preparation import sensitivity_maps
    from DynamicMRIReconLib.operators.acquisition_model import acquisition_model

    if series.array.dtype.kind != "c" or not any(series.array[p].imag.any() for p in spool.blocks(series.array)):
        raise InputError("Magnitude images have no phase: they cannot be compared with the measured data.")
    if series.array.shape != (kspace.frames, *kspace.matrix):
        raise InputError(f"The images {series.array.shape} do not fit the k-space {(kspace.frames, *kspace.matrix)}.")
    # A first division keeps squares within single precision whatever unit the scanner used.
    peak = np.float32(spool.peak(kspace.samples)) or np.float32(1.0)
    left, signal = np.zeros(kspace.frames), np.zeros(kspace.frames)
    slices = list(kspace.slices())
    depth = kspace.matrix[0] // len(slices)
    for number, one in enumerate(slices):
        maps = sensitivity_maps(one)
        for frame in range(kspace.frames):
            at = slice(frame, frame + 1)
            image = series.array[at, number * depth : (number + 1) * depth] / peak
            model = acquisition_model(one, maps, device, frames=at)
            measured = torch.as_tensor(one.samples[at] / peak, device=device)
            off = model.forward(torch.as_tensor(image, device=device)).reshape(measured.shape) - measured
            left[frame] += float(off.abs().square().sum(dtype=torch.float64))
            signal[frame] += float(measured.abs().square().sum(dtype=torch.float64))
            progress((number * kspace.frames + frame + 1) / (len(slices) * kspace.frames))
            if frame % FRAMES_TO_TRIM == 0:
                spool.trim()
    if not signal.all():
        raise InputError(f"Frame {int(np.argmin(signal))} holds no signal: nothing can be compared with it.")
    return np.asarray(np.sqrt(left / signal))
