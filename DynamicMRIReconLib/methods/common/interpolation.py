"""Frames between measured ones, by the flow that a trained network sees between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.frame_times import FrameTimes
from DynamicMRIReconLib.methods.common.frames import Preview
from DynamicMRIReconLib.methods.common.trained import BRIGHT_PERCENT, steps_between

if TYPE_CHECKING:
    from torch import Tensor, nn

#: no voxel changes by more than this part of the brightness: there is nothing to interpolate
STATIC = 0.004
#: changes are looked at in means over squares of so many voxels, where these have more than this part of the brightest,
#: and count when they are more than this part of the mean
COARSE, TISSUE, CHANGED = 4, 0.1, 0.3
#: a cut changes so many times more than neighbouring frames of the series usually do; told from so many pairs, else
#: nearly all must change
UNUSUAL, PAIRS_TO_TELL, NEARLY_ALL = 4.0, 3, 0.6
#: the percentile of brightness is taken over at most so many frames
FRAMES_FOR_SCALE = 32


@dataclass(frozen=True)
class Pairs:
    """Neighbouring frames of a series, and what is between them.

    Attributes
    ----------
    scale
        Magnitude that is 1 to the network, > 0.
    static, cut
        (frames - 1,) bool: nothing moves; another picture begins.
    """

    scale: float
    static: NDArray[np.bool_]
    cut: NDArray[np.bool_]

    @property
    def moving(self) -> NDArray[np.bool_]:
        """(frames - 1,) bool: there are frames to be interpolated."""
        return ~(self.static | self.cut)


def look_at_pairs(array: NDArray[Any], cut_threshold: float) -> Pairs:
    """Find static pairs and scene cuts in (frames, z, y, x).

    A cut is where more than ``cut_threshold`` of the picture changes at once, and far more than is usual in the series:
    an organ that moves changes part of it, and a fast scene changes much all the time. 0 finds none.
    """
    chosen = array[:: -(-len(array) // FRAMES_FOR_SCALE)]
    magnitudes = np.abs(chosen)
    scale = float(np.percentile(magnitudes, BRIGHT_PERCENT)) or float(magnitudes.max()) or 1.0
    static, changed = np.zeros(len(array) - 1, bool), np.zeros(len(array) - 1)
    coarse_before = _coarse(array[0])
    for part in spool.blocks(array[1:]):
        for pair in range(part.start, part.stop):
            coarse = _coarse(array[pair + 1])
            static[pair] = float(np.abs(array[pair + 1] - array[pair]).max()) <= STATIC * scale
            changed[pair] = _changed_share(coarse_before, coarse)
            coarse_before = coarse
    told = len(changed) >= PAIRS_TO_TELL
    usual = float(np.median(changed[~static])) if told and not static.all() else 0.0
    # where much changes all the time, a cut still changes nearly all
    unusual = min(UNUSUAL * usual, (1 + usual) / 2) if told else NEARLY_ALL
    least = max(cut_threshold, unusual)
    return Pairs(scale, static, (changed > least) & (cut_threshold > 0) & ~static)


def interpolate(
    series: ImageSeries, asked: FrameTimes, pairs: Pairs, network: nn.Module, at_once: int, context: Context
) -> NDArray[Any]:
    """The frames ``asked`` (frames, z, y, x) in the kind of ``series``; measured ones are copied.

    Magnitudes are those of the network; the phase of a complex series is that of the two frames, moved by the flow and
    blended. Where a pair is static or a cut, the nearer frame is repeated.
    """
    import torch

    array = series.array
    result = spool.empty((len(asked.numbers), *array.shape[1:]), array.dtype)
    nearest = np.rint(asked.numbers).astype(int)
    before = np.minimum(np.floor(asked.numbers).astype(int), max(series.frames - 2, 0))
    wanted = asked.synthetic & (pairs.moving[before] if series.frames > 1 else False)
    for part in spool.blocks(result):
        measured = part.start + np.flatnonzero(~wanted[part])
        result[measured] = array[nearest[measured]]
    places = [(int(frame), z) for frame in np.flatnonzero(wanted) for z in range(array.shape[1])]
    blocks = network.blocks
    assert isinstance(blocks, torch.nn.ModuleList)
    preview = Preview(context)
    for start in range(0, len(places), at_once):
        frames, slices = (np.array(part) for part in zip(*places[start : start + at_once], strict=True))

        def step(fraction: float, start: int = start, count: int = len(frames)) -> None:
            context.step((start + fraction * count) / len(places), f"{len(places)} pictures between measured ones")

        step(0.0)
        pair = before[frames]
        first, second = (torch.as_tensor(array[number, slices], device=context.device) for number in (pair, pair + 1))
        time = torch.as_tensor(asked.numbers[frames] - pair, dtype=torch.float32, device=context.device)
        with torch.inference_mode(), steps_between(blocks, step):
            found = between(network, first / pairs.scale, second / pairs.scale, time) * pairs.scale
        preview.offer(found[:, None])
        result[frames, slices] = found.cpu().numpy()
        spool.trim()
    return result


def between(network: nn.Module, first: Tensor, second: Tensor, time: Tensor) -> Tensor:
    """(B, y, x) real or complex at ``time`` (B,) in (0, 1) between ``first`` and ``second``, of magnitude about 1.

    The network sees magnitudes cut at 1. What it makes is applied to the frames themselves, so that what is brighter
    than 1, the phase, and the sign of negative values stay.
    """
    import torch

    from DynamicMRIReconLib.networks.warp import backward_warp

    seen = [frame.abs().clamp(0, 1)[:, None] for frame in (first, second)]
    found = network(seen[0], seen[1], time)
    flow, share = found.flows[-1], found.weights[-1]
    moved = [backward_warp(_channels(frame), part) for frame, part in ((first, flow[:, :2]), (second, flow[:, 2:]))]
    blend = share * moved[0] + (1 - share) * moved[1]
    correction = (found.image - found.merged[-1])[:, 0]
    # a correction dims at most to nothing
    magnitude = (blend[:, 0].abs() + correction).clamp_min(0)
    if not first.is_complex():
        return torch.where(blend[:, 0] < 0, -magnitude, magnitude)
    direction = torch.complex(blend[:, 1], blend[:, 2])
    size = direction.abs()
    return magnitude * torch.where(size > 0, direction / size.clamp_min(1e-20), 1)


def flows(
    series: ImageSeries, pairs: Pairs, network: nn.Module, at_once: int, context: Context
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Displacement of what is at each voxel half-way between two frames, from the first to the second.

    Block after block: which pairs, and (pairs, z, y, x, 2) voxels, x before y; 0 where a pair is static or a cut.
    """
    import torch

    array, count = series.array, series.frames - 1
    per_block = max(1, at_once // array.shape[1])
    for start in range(0, count, per_block):
        context.step(start / count, f"flow of frames {start + 1} and on")
        block = slice(start, min(start + per_block, count))
        first, second = (
            torch.as_tensor(np.abs(array[number : number + block.stop - start]), device=context.device)
            .flatten(0, 1)[:, None]
            .div(pairs.scale)
            .clamp(0, 1)
            for number in (start, start + 1)
        )
        half = torch.full((len(first),), 0.5, device=context.device)
        with torch.inference_mode():
            flow = network(first, second, half).flows[-1]
        displacement = (flow[:, 2:] - flow[:, :2]).movedim(1, -1).reshape(-1, *array.shape[1:], 2)
        found: NDArray[np.float32] = displacement.float().cpu().numpy()
        found[~pairs.moving[block]] = 0
        yield block, found
        spool.trim()


def _channels(frames: Tensor) -> Tensor:
    """(B, y, x) -> (B, 1, y, x) for real frames; magnitude, real and imaginary part for complex ones."""
    import torch

    if not frames.is_complex():
        return frames[:, None]
    return torch.stack([frames.abs(), frames.real, frames.imag], dim=1)


def _coarse(frame: NDArray[Any]) -> NDArray[np.float32]:
    """(z, y, x) magnitudes as means over squares of ``COARSE`` voxels; what is left over at the margin is dropped."""
    magnitude = np.abs(frame).astype(np.float32)
    _, ny, nx = frame.shape
    sy, sx = min(COARSE, ny), min(COARSE, nx)
    cut = magnitude[:, : ny // sy * sy, : nx // sx * sx]
    coarse: NDArray[np.float32] = cut.reshape(len(cut), ny // sy, sy, nx // sx, sx).mean(axis=(2, 4))
    return coarse


def _changed_share(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Part of the places with tissue in either picture whose brightness changes."""
    larger = np.maximum(one, other)
    tissue = larger > TISSUE * larger.max()
    return float((np.abs(one - other) > CHANGED * larger)[tissue].mean()) if tissue.any() else 0.0
