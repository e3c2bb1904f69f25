"""Several image stacks as one input, and masks that say what counts in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries, KSpace
from DynamicMRIReconLib.errors import InputError


def as_stacks(parts: Sequence[Any]) -> list[ImageSeries]:
    """What was read from several files, as one list of stacks.

    Raises
    ------
    InputError
        One of them is k-space.
    """
    stacks = [stack for part in parts for stack in (part if isinstance(part, list) else [part])]
    if any(isinstance(stack, KSpace) for stack in stacks):
        raise InputError("Several inputs were given and one is k-space: give one k-space file, or image stacks.")
    return stacks


def with_masks(stacks: Sequence[ImageSeries], masks: Sequence[Any]) -> list[ImageSeries]:
    """The stacks with a part ``mask``, 1 where the mask says so and 0 elsewhere.

    One mask serves all stacks, else there is one for each, in their order. A mask on another grid is resampled: a voxel
    counts where the mask, interpolated linearly, is above a half; outside of the mask's own grid nothing does.

    Raises
    ------
    InputError
        The number of masks is wrong, or a mask is no volume.
    """
    if len(masks) not in (1, len(stacks)):
        raise InputError(f"There are {len(stacks)} stacks but {len(masks)} masks: give one for each, or one for all.")
    chosen = list(masks) * len(stacks) if len(masks) == 1 else masks
    return [_with_mask(stack, mask) for stack, mask in zip(stacks, chosen, strict=True)]


def _with_mask(stack: ImageSeries, mask: Any) -> ImageSeries:
    if not isinstance(mask, ImageSeries) or mask.frames != 1:
        raise InputError("A mask must be one image volume (NIfTI, NRRD or DICOM).")
    shape = stack.array.shape[1:]
    inside = mask.magnitude().array[0] > 0
    if inside.shape != shape or not np.allclose(mask.affine, stack.affine, atol=1e-3):
        inside = _resampled(inside, mask.affine, shape, stack.affine)
    # a complex series has complex parts
    part = np.broadcast_to(inside, stack.array.shape).astype(stack.array.dtype)
    return replace(stack, parts={**stack.parts, "mask": part})


def _resampled(
    inside: NDArray[np.bool_], affine: NDArray[np.float64], shape: tuple[int, ...], onto: NDArray[np.float64]
) -> NDArray[np.bool_]:
    from scipy.ndimage import affine_transform

    # the arrays have their axes in the reverse order of the affines' columns
    matrix = (np.linalg.inv(affine) @ onto)[:3]
    share = affine_transform(
        inside.astype(np.float32),
        matrix[::-1, :3][:, ::-1],
        offset=matrix[::-1, 3],
        output_shape=shape,
        order=1,
        mode="constant",
    )
    return np.asarray(share > 0.5)
