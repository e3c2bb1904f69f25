"""Frames in blocks that fit into memory, and pictures of them on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib import spool
from DynamicMRIReconLib.methods.base import Context

if TYPE_CHECKING:
    from torch import Tensor

#: working memory of one block; small enough that one iteration of a block, and with it a cancel, takes under a second
BLOCK_BYTES = 256 * 2**20

#: reports the fraction done (0..1) of a block and a message; raises Cancelled when the user asked to stop
Step = Callable[[float, str], None]


def frames_at_once(frames: int, bytes_per_frame: float, chosen: int = 0) -> int:
    """How many frames make a block: ``chosen``, or for 0 as many as fit into ``BLOCK_BYTES``; at least 1."""
    return max(1, min(frames, chosen or int(BLOCK_BYTES // max(1.0, bytes_per_frame))))


def in_frame_blocks(
    frames: int,
    at_once: int,
    work: Callable[[slice, Step], NDArray[Any]],
    context: Context,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Call ``work(frames, step)`` -> (frames of the block, ...) block after block and join the results.

    They are joined in ``out`` (frames, ...) where it is given: what comes beside it in memory is then one block. A run
    that goes on does not do blocks again that were done before it was ended.

    When the device runs out of memory, the block is done again with half as many frames, and the user is told; only
    when a single frame does not fit does the error go on.
    """
    import torch

    done: list[NDArray[Any]] = []
    start = 0
    while start < frames:
        stop = min(frames, start + at_once)

        def step(fraction: float, message: str, start: int = start, stop: int = stop) -> None:
            context.step((start + fraction * (stop - start)) / frames, message)

        def block_of(_: Context, frames: slice = slice(start, stop), step: Step = step) -> NDArray[Any]:
            block = work(frames, step)
            if out is None:
                return block
            out[frames] = block
            # what is kept for a while holds no memory of its own then
            return out[frames]

        try:
            block = context.once(f"frames {start + 1}-{stop}", block_of)
        except (MemoryError, torch.OutOfMemoryError):
            if stop - start == 1:
                raise
            at_once = (stop - start) // 2
            context.warn(f"Out of memory on {context.device}: going on with {at_once} frames at once.")
            if context.device.startswith("cuda"):
                torch.cuda.empty_cache()
            continue
        if out is None:
            done.append(block)
        else:
            out[start:stop] = block
        spool.trim()
        start = stop
    context.release()
    if out is not None:
        return out
    return done[0] if len(done) == 1 else np.concatenate(done)


class Preview:
    """Hands a magnitude to ``context.preview`` when the last one is some seconds old, and costs nothing in between."""

    def __init__(self, context: Context, interval_s: float = 2.0) -> None:
        self._context, self._interval_s, self._due = context, interval_s, 0.0

    def offer(self, image: Tensor, scale: float = 1.0) -> None:
        """Show ``image`` (frames, z, y, x), real or complex, times ``scale``, if it is time to."""
        if time.monotonic() < self._due:
            return
        magnitude: NDArray[np.float32] = (image.detach().abs() * scale).float().cpu().numpy()
        self._context.preview(magnitude)
        self._due = time.monotonic() + self._interval_s
