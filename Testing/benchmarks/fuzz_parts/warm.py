"""Everything imported once, before any child is forked."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

_MODULES = (
    *("numpy", "scipy.io", "scipy.ndimage", "scipy.io.wavfile", "h5py", "nrrd", "nibabel", "pydicom", "ismrmrd"),
    *("ismrmrd.xsd", "PIL.Image", "PIL.GifImagePlugin", "av", "torch", "safetensors.torch", "finufft", "tomllib"),
    *("pytorch_finufft", "SimpleITK", "sigpy"),
)


def up() -> None:
    """Import what reading and reconstructing need."""
    for name in _MODULES:
        importlib.import_module(name)
    import torch

    from DynamicMRIReconLib.io import formats
    from DynamicMRIReconLib.jobs import provenance
    from DynamicMRIReconLib.methods import registry

    torch.set_num_threads(1)
    formats.all_formats()
    registry.all_methods()
    provenance.hardware("cpu")


def check_single_thread() -> None:
    """A process with threads must not be forked: their locks would stay locked in the child.

    Raises
    ------
    RuntimeError
        There are several.
    """
    threads = len(os.listdir("/proc/self/task")) if Path("/proc/self/task").is_dir() else 1
    if threads != 1:
        raise RuntimeError(f"this process has {threads} threads before its first fork")
