"""Whether there is memory enough for a run, told before it starts."""

from __future__ import annotations

from collections.abc import Callable


def warn_if_short(needed_bytes: float, device: str, warn: Callable[[str], None]) -> None:
    """Call ``warn`` with a sentence when a run that needs about ``needed_bytes`` will hardly fit on ``device``."""
    free = _free_bytes(device)
    if free is not None and needed_bytes > free:
        warn(
            f"This needs about {needed_bytes / 2**30:.1f} GiB of memory on {device}, but only {free / 2**30:.1f} GiB "
            "are free: it may fail; the preset fast or fewer frames need less."
        )


def _free_bytes(device: str) -> int | None:
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)
