"""What networks learn from: a few consecutive frames on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DynamicMRIReconLib.errors import InputError

#: the percentile of a clip that becomes 1
BRIGHT_PERCENT = 99.9


@dataclass(frozen=True)
class Clip:
    """Consecutive frames.

    Attributes
    ----------
    frames
        (T, H, W) float32 magnitudes in [0, 1]; the clip's 99.9th percentile is 1 before clipping.
    frame_times_ms
        (T,) float64 milliseconds, increasing.
    name
        Where it is from: a file's name and first frame, or a phantom and its seed.
    cyclic
        It is one heartbeat: the first frame follows the last.
    """

    frames: Tensor
    frame_times_ms: Tensor
    name: str
    cyclic: bool = False

    @classmethod
    def of(cls, magnitudes: NDArray[Any], times_s: NDArray[Any], name: str, *, cyclic: bool = False) -> Clip:
        """A clip of ``magnitudes`` (T, H, W) in any scale, at ``times_s`` (T,) seconds.

        Raises
        ------
        InputError
            If the frames are empty of signal or hold numbers that are not finite.
        """
        frames = np.asarray(magnitudes, np.float32)
        bright = float(np.percentile(frames, BRIGHT_PERCENT))
        if not np.isfinite(frames).all() or not bright > 0:
            raise InputError(f"{name} has frames without signal or with numbers that are not finite: leave it out.")
        scaled = torch.from_numpy(np.clip(frames / bright, 0, 1))
        return cls(scaled, torch.from_numpy(1e3 * np.asarray(times_s, np.float64)), name, cyclic)
