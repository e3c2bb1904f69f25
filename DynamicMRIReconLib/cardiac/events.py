"""End diastole and end systole: when the blood pool is largest and smallest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.evaluation.regions import Box

_BLUR = 5
#: correlation with the sum of all from which a pixel counts
_FOLLOWS = 0.5
#: part of the curve's range that a plateau may fall
_PLATEAU = 0.03


def blood_curve(array: NDArray[Any], box: Box) -> NDArray[np.float64]:
    """(frames,) pixels of the ventricles' blood inside the box, over all slices of real images (frames, z, y, x).

    Bright is what lies above Otsu's threshold of the slice over all its frames. Of the pixels that are bright at times,
    those count that follow the sum of all: atria fill while ventricles empty, vessels and fat do neither.
    """
    from skimage.filters import threshold_otsu

    x0, y0, x1, y1 = box
    inside = array[:, :, y0:y1, x0:x1]
    parts = []
    for k in range(inside.shape[1]):
        values = spool.mapped(lambda block: block.reshape(len(block), -1), inside[:, k], np.float32)
        if values.max() > values.min():
            bright = values > threshold_otsu(values)
            parts.append(bright[:, bright.any(axis=0) & ~bright.all(axis=0)])
    pixels = np.concatenate(parts, axis=1) if parts else np.zeros((len(array), 0), bool)
    total = pixels.sum(axis=1, dtype=np.float64)
    change, share = total - total.mean(), pixels.mean(axis=0)
    # of pixels that are 0 or 1: |pixel - share|^2 is frames * share * (1 - share)
    size = np.sqrt(len(pixels) * share * (1 - share)) * np.linalg.norm(change)
    together = np.zeros(pixels.shape[1])
    for part in spool.blocks(pixels):
        together += change[part] @ pixels[part]
    follows = together > _FOLLOWS * size
    return np.asarray(pixels[:, follows].sum(axis=1, dtype=np.float64) if follows.any() else total)


def extremes(curve: NDArray[np.float64], frames_per_beat: float, *, cyclic: bool) -> tuple[float, float]:
    """Frames of the first end diastole and the first end systole in [0, frames_per_beat).

    End systole is the minimum. End diastole is when contraction begins: the last frame, from the maximum on, that is
    below it by no more than 3 % of the range; the largest frame of a long plateau would be any. All beats are folded
    into one and averaged, so that no single frame decides, and the curve is smoothed over three frames. Both are 0 for
    a curve that is flat.
    """
    beat = max(2, round(frames_per_beat))
    mean = _folded(_smoothed(curve, cyclic=cyclic), frames_per_beat, beat)
    end_systole, end_diastole = int(np.argmin(mean)), int(np.argmax(mean))
    if end_systole == end_diastole:
        return 0.0, 0.0
    least = mean[end_diastole] - _PLATEAU * (mean.max() - mean.min())
    while (following := (end_diastole + 1) % beat) != end_systole and mean[following] >= least:
        end_diastole = following
    return end_diastole * frames_per_beat / beat, end_systole * frames_per_beat / beat


def _folded(curve: NDArray[np.float64], frames_per_beat: float, places: int) -> NDArray[np.float64]:
    """(places,) the mean beat, at ``places`` even places from frame 0 on: linear weights of the frames next to each."""
    if len(curve) < 1.5 * frames_per_beat:
        return curve[:places]
    apart = np.abs(np.arange(len(curve)) % frames_per_beat - np.arange(places)[:, None] * frames_per_beat / places)
    weight = np.maximum(1e-6, 1 - np.minimum(apart, frames_per_beat - apart))
    return np.asarray((weight * curve).sum(axis=1) / weight.sum(axis=1))


def published_end_systole(array: NDArray[Any], box: Box, *, parity: bool = False) -> int:
    """End systole of one beat whose frame 0 is end diastole, by the published rule: the frame from T/4 to 0.6 T whose
    bright mask, in the box of the first slice, differs most from that of frame 0.

    With ``parity`` a pixel that appears counts 255 and one that vanishes 1, as in the published code, which subtracts
    unsigned bytes.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    x0, y0, x1, y1 = box
    masks = []
    for frame in array[:, 0]:
        smooth = ndimage.uniform_filter(frame.astype(np.float64), _BLUR)[y0:y1, x0:x1]
        masks.append(smooth > threshold_otsu(smooth) if smooth.max() > smooth.min() else np.zeros(smooth.shape, bool))
    count = len(array)
    candidates = range(math.floor(0.25 * count), min(count, math.ceil(0.6 * count) + 1))
    weight = 255 if parity else 1

    def difference(t: int) -> int:
        appeared, vanished = (masks[t] & ~masks[0]).sum(), (masks[0] & ~masks[t]).sum()
        return int(weight * appeared + vanished)

    return max(candidates, key=difference)


def _smoothed(curve: NDArray[np.float64], *, cyclic: bool) -> NDArray[np.float64]:
    around = np.pad(curve, 1, mode="wrap" if cyclic else "edge")
    return np.asarray((around[:-2] + 2 * around[1:-1] + around[2:]) / 4)
