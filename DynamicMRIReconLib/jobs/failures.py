"""Any exception, as one of the three kinds of failure a user is told of."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from DynamicMRIReconLib.errors import ReconError, ResourceError

_MEMORY = re.compile(r"out of memory|can't allocate memory|cannot allocate memory|not enough memory|bad_alloc", re.I)
_GPU = re.compile(r"CUDA error|cuFFT|cuDNN|CUBLAS|NVRTC|MPS backend", re.I)


def in_words(error: BaseException, log: Path) -> ReconError:
    """The error as it is told to the user; ``log`` is where its traceback stands."""
    if isinstance(error, ReconError):
        return error
    text = " ".join(str(error).split())[:300]
    if isinstance(error, MemoryError) or _MEMORY.search(text):
        return ResourceError(
            "Out of memory: use the preset fast, fewer frames, or another device (--device cpu); closing other "
            "programs may help."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError("The disk is full: make room, then run the job again.")
    if isinstance(error, RuntimeError) and _GPU.search(text):
        return ResourceError(f"The GPU failed ({text}): use --device cpu, or restart the computer's GPU driver.")
    detail = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return ReconError(f"Unexpected failure ({detail}). The traceback is in {log}.")
