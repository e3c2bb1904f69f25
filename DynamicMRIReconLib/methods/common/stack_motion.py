"""Patients who moved between slices: slice-to-volume registration in turn with new volumes, and outlier slices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.stack_preparation import PreparedStack, PreparedStacks
from DynamicMRIReconLib.methods.common.stack_terms import slice_geometry, terms_of
from DynamicMRIReconLib.methods.common.tikhonov import Term, least_gradient
from DynamicMRIReconLib.registration.through_profile import align

#: weight of the penalty in the first round; it falls towards that of the result
_FIRST_REGULARIZATION = 0.2
#: the threshold of the correlation rises from here to the one that is asked for
_FIRST_THRESHOLD = 0.5


def correct_motion(
    stacks: PreparedStacks,
    settings: dict[str, Any],
    *,
    cycles: int,
    regularization: float,
    iterations: int,
    threshold: float,
    context: Context,
) -> tuple[list[Term], int]:
    """The data terms with a motion for each slice and without outliers, and how many slices were left out.

    Each cycle makes a volume of all slices, aligns every slice with it, and leaves out those whose normalised
    cross-correlation with it is below a threshold.
    """
    count = len(stacks.stacks)
    motions: list[NDArray[np.float64] | None] = [None] * count
    kept: list[NDArray[np.bool_]] = [np.ones(len(stack.values), bool) for stack in stacks.stacks]
    for cycle in range(cycles):
        share = cycle / max(1, cycles - 1)
        part = context.part(cycle, cycles)
        part.step(0.0, f"Slice-to-volume registration, round {cycle + 1} of {cycles}")
        weight = _FIRST_REGULARIZATION * (1 - share) + max(regularization, _FIRST_REGULARIZATION / 2) * share
        volume = least_gradient(
            _terms(stacks, settings, motions, kept, context.device),
            weight,
            iterations=iterations,
            callback=lambda status, part=part: part.step(0.3 * status.iteration / iterations),  # type: ignore[misc]
        ).clamp_min(0)
        for number, stack in enumerate(stacks.stacks):
            found = align(
                volume.cpu(),
                stacks.grid.affine,
                slice_geometry(stack, motions=_each(motions[number], stack), **settings),
                torch.as_tensor(stack.values),
                torch.as_tensor(stack.weights()),
                slice_by_slice=True,
                iterations=3,
                step=lambda done, part=part, n=number: part.step(0.3 + 0.7 * (n + done) / count),  # type: ignore[misc]
            )
            motions[number] = found.motions
            least = _FIRST_THRESHOLD + (threshold - _FIRST_THRESHOLD) * share
            # a slice that shows too little to be judged stays
            kept[number] = ~(found.correlation < least)
    rejected = int(sum((~flags).sum() for flags in kept))
    return _terms(stacks, settings, motions, kept, context.device), rejected


def _each(motions: NDArray[np.float64] | None, stack: PreparedStack) -> NDArray[np.float64]:
    return np.tile(np.eye(4), (len(stack.values), 1, 1)) if motions is None else motions


def _terms(
    stacks: PreparedStacks,
    settings: dict[str, Any],
    motions: list[NDArray[np.float64] | None],
    kept: list[NDArray[np.bool_]],
    device: str,
) -> list[Term]:
    terms = terms_of(stacks.stacks, stacks.grid, motions=motions, device=device, **settings)
    return [
        replace(term, weights=term.weights * torch.as_tensor(flags, device=device)[:, None, None])
        for term, flags in zip(terms, kept, strict=True)
    ]
