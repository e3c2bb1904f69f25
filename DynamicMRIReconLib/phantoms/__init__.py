"""Moving phantoms, continuous in time and space, each drawn from one seed.

>>> from DynamicMRIReconLib import phantoms
>>> scene = phantoms.get("heart", seed=0)
>>> frames = scene.render([0.0, 0.3], (1, 256, 256))
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.phantoms.scene import Scene

__all__ = ["NAMES", "Scene", "get"]

_SCENES = {
    "heart": ("heart", "HeartScene"),
    "vocal-tract": ("vocal_tract", "VocalTractScene"),
    "brain": ("brain", "BrainScene"),
}
NAMES: tuple[str, ...] = tuple(_SCENES)


def get(name: str, seed: int = 0, **options: Any) -> Scene:
    """The phantom ``name`` of ``NAMES`` drawn from ``seed`` (whole number >= 0; 0 is the typical one).

    ``options`` are those of the scene's class, such as ``respiration_mm`` of the heart.

    Raises
    ------
    InputError
        If the name, the seed or an option is unknown or out of range.
    """
    if name not in _SCENES:
        raise InputError(f"There is no phantom '{name}': choose one of {', '.join(NAMES)}.")
    module, cls = _SCENES[name]
    factory = getattr(importlib.import_module(f"{__name__}.{module}"), cls)
    known = [option for option in inspect.signature(factory).parameters if option != "seed"]
    for option in options:
        if option not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InputError(f"The phantom '{name}' does not take the option '{option}': {has}.")
    scene: Scene = factory(seed, **options)
    return scene
