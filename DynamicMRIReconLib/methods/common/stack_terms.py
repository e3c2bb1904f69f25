"""The data terms of prepared stacks: each with its slice profile on the grid of the result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from DynamicMRIReconLib.methods.common.stack_grid import VolumeGrid
from DynamicMRIReconLib.methods.common.stack_preparation import PreparedStack
from DynamicMRIReconLib.methods.common.tikhonov import Term
from DynamicMRIReconLib.operators.slice_profile import Profile, SliceGeometry, SliceProfileOperator


def slice_geometry(
    stack: PreparedStack,
    *,
    profile: Profile = "gaussian",
    in_plane_blur: float = 1.2,
    motions: NDArray[np.float64] | None = None,
) -> SliceGeometry:
    """Where the slices of a prepared stack lie."""
    shape = stack.values.shape
    return SliceGeometry(
        (shape[0], shape[1], shape[2]), stack.affine, stack.thickness_mm, motions, profile, in_plane_blur
    )


def terms_of(
    stacks: Sequence[PreparedStack],
    grid: VolumeGrid,
    *,
    profile: Profile = "gaussian",
    in_plane_blur: float = 1.2,
    motions: Sequence[NDArray[np.float64] | None] | None = None,
    device: str = "cpu",
) -> list[Term]:
    """One term for each stack, without what reaches out of the grid; ``motions`` as in ``SliceGeometry``."""
    terms = []
    for number, stack in enumerate(stacks):
        geometry = slice_geometry(
            stack,
            profile=profile,
            in_plane_blur=in_plane_blur,
            motions=None if motions is None else motions[number],
        )
        operator = SliceProfileOperator(grid.shape, grid.affine, geometry, device=device)
        samples = torch.as_tensor(stack.values, device=device)
        terms.append(Term.covered(operator, samples, torch.as_tensor(stack.weights(), device=device)))
    return terms
