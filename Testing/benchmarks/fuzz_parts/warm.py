"""Everything imported once, before any child is forked."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import numpy as np

_MODULES = (
    *("numpy", "scipy.io", "scipy.ndimage", "scipy.io.wavfile", "h5py", "nrrd", "nibabel", "pydicom", "ismrmrd"),
    *("ismrmrd.xsd", "PIL.Image", "PIL.GifImagePlugin", "av", "torch", "safetensors.torch", "finufft", "tomllib"),
    *("pytorch_finufft", "SimpleITK", "sigpy.mri", "skimage.metrics"),
)


_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def one_thread() -> None:
    """Start this program anew with one thread for each library, which read how many when they are loaded."""
    if any(os.environ.get(name) != "1" for name in _THREADS):
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        os.execv(sys.executable, [sys.executable, *sys.argv])


def up() -> None:
    """Import what reading and reconstructing need."""
    # modules loaded late would write beside themselves
    sys.dont_write_bytecode = True
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
    _reconstruct()


def _reconstruct() -> None:
    """Once, with a simulated acquisition: compilers that come with it load what they keep pickled."""
    from DynamicMRIReconLib.acquisition.simulate import SeriesScene, simulate
    from DynamicMRIReconLib.acquisition.simulation_parameters import SimulationParameters
    from DynamicMRIReconLib.data import ImageSeries
    from DynamicMRIReconLib.evaluation import evaluate
    from DynamicMRIReconLib.pipeline import reconstruct

    array = np.random.default_rng(0).random((2, 1, 16, 16), np.float32)
    series = ImageSeries(array, np.eye(4), np.array([0.0, 0.1]))
    settings = {"trajectory": "cartesian", "matrix": 16, "coils": 2, "acceleration": 1.0, "central_lines": 4}
    kspace, truth = simulate(SeriesScene(series), SimulationParameters(**settings))
    evaluate(reconstruct(kspace, "gridding"), truth)


def check_single_thread() -> None:
    """A process with threads must not be forked: their locks would stay locked in the child.

    Raises
    ------
    RuntimeError
        There are several.
    """
    tasks = Path("/proc/self/task")
    threads = len(list(tasks.iterdir())) if tasks.is_dir() else 1
    if threads != 1:
        raise RuntimeError(f"this process has {threads} threads before its first fork")
