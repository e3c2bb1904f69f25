"""What methods with trained weights share: loading them, saying what they are, stopping within a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.methods.base import Context

if TYPE_CHECKING:
    from torch import nn

    from DynamicMRIReconLib.models import LoadedModel

#: of the brightest 0.1 % of a series: training images were scaled so that these are 1
BRIGHT_PERCENT = 99.9


def common_facts(matrix: int, times_s: NDArray[np.float64]) -> dict[str, float]:
    """What every model card may speak of: ``matrix``, the longer side, and of a series the median ``frame_time_ms``."""
    found = {"matrix": float(matrix)}
    if len(times_s) > 1:
        found["frame_time_ms"] = 1e3 * float(np.median(np.diff(times_s)))
    return found


def load_model(weights: str, network: str, facts: dict[str, float], context: Context) -> LoadedModel:
    """The model ``weights`` (name, file of weights, or model card); warns of every fact outside of its card's ranges.

    Raises
    ------
    InputError
        As ``models.load``.
    """
    from DynamicMRIReconLib import models

    path = Path(weights)
    model = models.load(
        path.with_suffix(".safetensors") if path.suffix == ".json" else weights, network, context.device
    )
    for sentence in models.card_warnings(model.card, facts):
        context.warn(sentence)
    return model


def about(model: LoadedModel) -> dict[str, Any]:
    """What ``metadata["models"]`` of a result says about a model that made it."""
    card = model.card
    return {"title": card.title, "sha256": card.sha256, "licence": card.licence, "warning": card.warning}


@contextmanager
def steps_between(modules: Iterable[nn.Module], step: Callable[[float], None]) -> Iterator[None]:
    """Within it, ``step(fraction)`` is called after each of ``modules`` has run: a place to stop, by an exception."""
    parts = list(modules)
    handles = [
        part.register_forward_hook(lambda *_, number=number: step(number / len(parts)))
        for number, part in enumerate(parts, 1)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
