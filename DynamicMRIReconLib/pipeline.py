"""One call from data to series: console, job worker, and through it panel and command line, all go through here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.device import resolve_device
from DynamicMRIReconLib.errors import InputError, ResourceError
from DynamicMRIReconLib.methods import registry
from DynamicMRIReconLib.methods.base import Context, Data


@dataclass(frozen=True)
class Status:
    """What a callback is told: fraction done (0..1), a short message, seconds since the start."""

    fraction: float
    message: str
    elapsed_s: float


def reconstruct(
    data: Data,
    method: str,
    *,
    preset: str = "standard",
    device: str = "auto",
    seed: int = 0,
    coil_maps: Any = None,
    callback: Callable[[Status], bool | None] | None = None,
    context: Context | None = None,
    **parameters: Any,
) -> ImageSeries:
    """Reconstruct ``data`` with the method called ``method``.

    Parameters
    ----------
    data
        KSpace, ImageSeries or list of stacks, as ``read`` gives them.
    method
        registry key, for example ``cg-sense``; ``parameters`` are the method's own, put over ``preset``.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:n`` or ``mps``.
    coil_maps
        complex (coils, z, y, x), used instead of estimated ones.
    callback
        called with a ``Status`` at least once an iteration; returning False stops.
    context
        replaces ``device``, ``seed`` and ``callback`` as a whole (used by the job worker).

    Returns
    -------
    ImageSeries
        with ``metadata["figures"]`` where the method gives some: see ``Context.add_figures``.

    Raises
    ------
    InputError
        Data do not fit the method, a parameter is out of range, the device does not exist.
    ResourceError
        Out of memory.
    Cancelled
        The callback asked to stop.
    """
    chosen = registry.get(method)
    values = chosen.parameters(preset, **parameters)
    if coil_maps is not None:
        if not isinstance(data, KSpace):
            raise InputError("Coil sensitivity maps were given, but the input is not k-space.")
        data = replace(data, coil_maps=coil_maps)
    reason = chosen.why_not(data)
    if reason:
        raise InputError(reason)
    if context is None:
        context = _context(resolve_device(device), seed, callback)
    return _run(chosen, data, values, context)


def _context(device: str, seed: int, callback: Callable[[Status], bool | None] | None) -> Context:
    started = time.monotonic()
    stopped = False

    def progress(fraction: float, message: str) -> None:
        nonlocal stopped
        if callback is not None and callback(Status(fraction, message, time.monotonic() - started)) is False:
            stopped = True

    return Context(device=device, seed=seed, progress=progress, cancelled=lambda: stopped)


def _run(method: Any, data: Data, values: Any, context: Context) -> ImageSeries:
    import torch

    torch.manual_seed(context.seed)
    context.figures.clear()
    try:
        result: ImageSeries = method.run(data, values, context)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ResourceError(
            f"Out of memory on {context.device} while running {method.key}: use the preset fast, fewer frames, "
            "or another device (--device cpu)."
        ) from error
    context.step(1.0, "done")
    return result.with_metadata(figures=dict(context.figures)) if context.figures else result
