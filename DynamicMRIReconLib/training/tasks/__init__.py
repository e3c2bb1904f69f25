"""One module for each network that can be trained; its ``TASK`` says how.

Adding a network to ``dynamic-mri-recon train`` is adding a module here: it is found by its file name, ``cardiac_vsr``
being the task ``cardiac-vsr``.
"""

from __future__ import annotations

import importlib
import pkgutil

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.training.task import TrainingTask


def names() -> tuple[str, ...]:
    """Names of the networks that can be trained."""
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)))


def get(name: str) -> TrainingTask:
    """The task of the network ``name``.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in names():
        raise InputError(f"There is no network {name!r} to train: choose one of {', '.join(names()) or 'none'}.")
    task: TrainingTask = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").TASK
    return task
