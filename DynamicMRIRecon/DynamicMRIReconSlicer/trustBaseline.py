"""What shows the k-space of a result without any method, reconstructed where the trust view lacks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from DynamicMRIReconSlicer import provenance, trustView
from DynamicMRIReconSlicer.jobQueue import JobQueue


def start(queue: JobQueue, logic: Any, sequence: Any, made: Callable[[Any, str], None]) -> None:
    """Reconstruct it like ``sequence``; then ``made`` gets it, and the identifier of ``sequence``.

    Raises
    ------
    InputError
        What ``sequence`` was made from is gone.
    """
    asked, identifier = provenance.request(sequence), sequence.GetID()
    queue.add(
        f"{asked['name'].removesuffix(asked['method']).strip()} {trustView.BASELINE}",
        logic.inputOf(sequence),
        trustView.BASELINE,
        then=lambda result: made(result, identifier),
        **{key: asked[key] for key in ("device", "seed", "read", "simulate", "frames")},
    )
