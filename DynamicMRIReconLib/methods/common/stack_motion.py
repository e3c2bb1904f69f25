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
from DynamicMRIReconLib.registration.through_profile import Alignment, align

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

    At first the slices of each stack are judged by the volume of the others. Then each cycle makes a volume of all
    slices that are left, aligns every slice with it, and leaves out those whose normalised cross-correlation with it is
    below a threshold.
    """
    count = len(stacks.stacks)
    motions: list[NDArray[np.float64] | None] = [None] * count
    kept: list[NDArray[np.bool_]] = [np.ones(len(stack.values), bool) for stack in stacks.stacks]

    def volume_of(numbers: list[int], weight: float, part: Context) -> torch.Tensor:
        terms = _terms(stacks, settings, motions, kept, context.device)
        chosen = [terms[number] for number in numbers]

        def solved(inner: Context) -> NDArray[np.float32]:
            loop = inner.loop("cg", f"iteration {{}} of {iterations}")
            found = least_gradient(
                chosen,
                weight,
                iterations=iterations,
                callback=lambda status: inner.step(status.iteration / iterations),
                keep=loop,
            )
            array: NDArray[np.float32] = found.clamp_min(0).cpu().numpy()
            return array

        return torch.from_numpy(part.once("volume", solved))

    def aligned(number: int, volume: torch.Tensor, rounds: int, part: Context) -> Alignment:
        stack = stacks.stacks[number]
        geometry = slice_geometry(stack, motions=_each(motions[number], stack), **settings)
        samples, weights = torch.as_tensor(stack.values), torch.as_tensor(stack.weights())

        def search(inner: Context) -> NDArray[np.float64]:
            found = align(
                volume,
                stacks.grid.affine,
                geometry,
                samples,
                weights,
                slice_by_slice=True,
                iterations=rounds,
                step=inner.step,
            )
            return np.column_stack([found.motions.reshape(-1, 16), found.correlation])

        table = part.once(f"alignment of stack {number + 1}", search)
        return Alignment(table[:, :16].reshape(-1, 4, 4), table[:, 16])

    # Before anything moves: a spoilt slice would pull all others. A stack cannot vouch for its own slices.
    first = context.part(0, cycles + 1)
    judged = []
    for number in range(count):
        part = first.part(number, count)
        part.step(0.0, "Looking for spoilt slices")
        others = [other for other in range(count) if other != number]
        judged.append(aligned(number, volume_of(others, _FIRST_REGULARIZATION, part), 0, part).correlation)
    kept = [~(correlation < _FIRST_THRESHOLD) for correlation in judged]
    for cycle in range(cycles):
        share = cycle / max(1, cycles - 1)
        part = context.part(1 + cycle, cycles + 1)
        part.step(0.0, f"Slice-to-volume registration, round {cycle + 1} of {cycles}")
        weight = _FIRST_REGULARIZATION * (1 - share) + max(regularization, _FIRST_REGULARIZATION / 2) * share
        volume = volume_of(list(range(count)), weight, part.part(0, 1 + count))
        for number in range(count):
            found = aligned(number, volume, 3, part.part(1 + number, 1 + count))
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
