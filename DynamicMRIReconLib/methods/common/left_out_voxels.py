"""How much to smooth: the weight with which left-out voxels of the stacks are foretold best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common.stack_grid import VolumeGrid
from DynamicMRIReconLib.methods.common.stack_preparation import PreparedStack
from DynamicMRIReconLib.methods.common.stack_terms import terms_of
from DynamicMRIReconLib.methods.common.tikhonov import Term
from DynamicMRIReconLib.methods.srr import SrrParameters, penalised
from DynamicMRIReconLib.operators.slice_profile import Profile

#: the weights that are tried, from the first upwards until the prediction gets worse
WEAKEST, FACTOR, MOST_TRIALS = 5e-4, 4.0, 5
#: share of the voxels that is left out, and voxels along each axis of the part in the middle that it is done with
LEFT_OUT, SIZE = 0.05, 48
#: voxels of a stack that are kept around that part
_MARGIN = 2


def best_weight(
    stacks: list[PreparedStack], grid: VolumeGrid, profile: Profile, in_plane_blur: float, context: Context
) -> float:
    """The weight of total variation in ``srr`` that suits the noise of these stacks.

    A twentieth of the voxels, drawn at random, is left out of a reconstruction of the middle of ``grid`` and foretold
    by it. Too weak a penalty foretells noise and what the stacks disagree about, too strong a one blurs; the square
    root of the mean squared error has its minimum in between. Between the weights that are tried the minimum of the
    parabola through the best three (of the error over the logarithm of the weight) is taken.
    """
    part = middle_of(grid)
    near = [cropped(stack, part) for stack in stacks]
    terms = terms_of(
        [stack for stack in near if stack is not None],
        part,
        profile=profile,
        in_plane_blur=in_plane_blur,
        device=context.device,
    )
    generator = torch.Generator().manual_seed(context.seed)
    left_out = [(torch.rand(term.weights.shape, generator=generator) < LEFT_OUT).to(term.weights) for term in terms]
    kept = [replace(term, weights=term.weights * (1 - out)) for term, out in zip(terms, left_out, strict=True)]
    judged = [replace(term, weights=term.weights * out) for term, out in zip(terms, left_out, strict=True)]
    if not any(bool(term.weights.any()) for term in judged):
        return WEAKEST

    def error(trial: int) -> float:
        settings = SrrParameters(penalty="tv", regularization=WEAKEST * FACTOR**trial, iterations=6)
        silent = replace(context.part(trial, MOST_TRIALS), preview=lambda _: None)
        return _error(judged, penalised(kept, settings, silent).clamp_min(0))

    return WEAKEST * FACTOR ** lowest(error, MOST_TRIALS)


def lowest(error: Callable[[int], float], most: int) -> float:
    """Where ``error`` of 0, 1, ... is lowest, looked for upwards until it rises; between numbers by a parabola."""
    found: list[float] = []
    for number in range(most):
        found.append(error(number))
        if number and found[-1] >= found[-2]:
            break
    best = int(np.argmin(found))
    if best in (0, len(found) - 1):
        return float(best)
    before, here, after = found[best - 1 : best + 2]
    return best + 0.5 * (before - after) / (before - 2 * here + after)


def middle_of(grid: VolumeGrid) -> VolumeGrid:
    """The part of ``SIZE`` voxels along each axis in the middle of ``grid``, or all of it."""
    first = [max(0, (n - SIZE) // 2) for n in grid.shape]
    affine = grid.affine.copy()
    affine[:3, 3] = (grid.affine @ np.append(first[::-1], 1))[:3]
    z, y, x = (min(n, SIZE) for n in grid.shape)
    return VolumeGrid((z, y, x), affine)


def cropped(stack: PreparedStack, grid: VolumeGrid) -> PreparedStack | None:
    """The voxels of ``stack`` around ``grid``; None when it has none there."""
    size = np.array(grid.shape[::-1])
    bits = np.array(list(np.ndindex(2, 2, 2)))
    corners = (bits * size - 0.5) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    inverse = np.linalg.inv(stack.affine)
    at = (corners @ inverse[:3, :3].T + inverse[:3, 3])[:, ::-1]
    shape = np.array(stack.values.shape)
    first = np.clip(np.floor(at.min(0)).astype(int) - _MARGIN, 0, shape)
    last = np.clip(np.ceil(at.max(0)).astype(int) + 1 + _MARGIN, 0, shape)
    if (last <= first).any():
        return None
    window = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    affine = stack.affine.copy()
    affine[:3, 3] = (stack.affine @ np.append(first[::-1], 1))[:3]
    mask = None if stack.mask is None else stack.mask[window]
    return replace(stack, values=stack.values[window], mask=mask, affine=affine)


def _error(terms: list[Term], volume: torch.Tensor) -> float:
    squares = sum(
        float((term.weights * (term.operator.forward(volume) - term.samples).square()).sum()) for term in terms
    )
    return math.sqrt(squares / sum(float(term.weights.sum()) for term in terms))
