"""What a fit does when its frames do not fit into memory together."""

from __future__ import annotations

import torch

from DynamicMRIReconLib.methods.base import Context


def fewer_frames(frames_at_once: int, context: Context) -> int:
    """Half as many frames at once, said to the user.

    Raises
    ------
    MemoryError
        If it was only one.
    """
    if frames_at_once == 1:
        raise MemoryError("A single frame of the network does not fit into memory.")
    context.warn(f"Out of memory on {context.device}: going on with {frames_at_once // 2} frames at once.")
    if context.device.startswith("cuda"):
        torch.cuda.empty_cache()
    return frames_at_once // 2
