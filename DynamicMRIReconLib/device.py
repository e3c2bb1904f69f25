"""Which processor a run uses."""

from __future__ import annotations

from DynamicMRIReconLib.errors import InputError


def resolve_device(name: str = "auto") -> str:
    """The torch device to use for ``auto``, ``cpu``, ``cuda``, ``cuda:n`` or ``mps``.

    ``auto`` is the first CUDA device where there is one, else the CPU (mps only on request: it lacks complex FFT paths
    that some methods need).

    Raises
    ------
    InputError
        If the name is unknown or this computer has no such device.
    """
    kind, _, index = name.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (index and (kind != "cuda" or not index.isdecimal())):
        raise InputError(f"Unknown device {name!r}: use auto, cpu, cuda, cuda:n or mps.")
    if kind == "cpu":
        return "cpu"
    import torch

    if kind == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise InputError("Device mps was asked for, but this computer has no Apple GPU: use --device cpu.")
        return "mps"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(index or 0) >= count:
        have = f"has only {count} CUDA device(s)" if count else "has no usable CUDA device"
        raise InputError(f"Device {name} was asked for, but this computer {have}: use --device auto or cpu.")
    return name
