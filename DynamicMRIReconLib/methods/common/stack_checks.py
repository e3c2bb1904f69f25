"""What stacks must be before a volume can be made of them, in words a user understands."""

from __future__ import annotations

from typing import Any

import numpy as np

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.common.stack_grid import box_of
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters

#: points along each axis of a stack at which it is seen whether the fixed one lies there as well
PROBES = 24


def why_not_stacks(data: Any) -> str | None:
    """Why ``data``, a list, is not two or more stacks of one volume each; None when it is."""
    if len(data) < 2:
        return "One stack only was given: name two or more files of the same body part, best in different orientations."
    for number, stack in enumerate(data, 1):
        if not isinstance(stack, ImageSeries):
            return f"Input {number} is not an image stack: give NIfTI, NRRD or DICOM volumes."
        if stack.frames != 1:
            return f"{stack_name(stack, number)} has {stack.frames} frames: a stack is one volume; take one frame out."
    return None


def stack_name(stack: ImageSeries, number: int) -> str:
    """What messages call the ``number``-th stack, from 1."""
    source = stack.metadata.get("source")
    return f"Stack {number} ({source})" if source else f"Stack {number}"


def thickness_mm(stack: ImageSeries, number: int, parameters: StackParameters) -> float:
    """Slice thickness: of the parameters, else of the file, else the distance of slices.

    Raises
    ------
    InputError
        The file says zero or something that is no number.
    """
    if parameters.slice_thickness_mm is not None:
        return parameters.slice_thickness_mm
    told = stack.metadata.get("slice_thickness_mm")
    if told is None:
        return float(stack.geometry.spacing_mm[2])
    try:
        thickness = float(told)
    except (TypeError, ValueError):
        thickness = float("nan")
    if not (np.isfinite(thickness) and thickness > 0):
        raise InputError(
            f"{stack_name(stack, number)} has a slice thickness of {told} mm: set slice_thickness_mm to the true one."
        )
    return thickness


def check_stacks(stacks: list[ImageSeries], parameters: StackParameters) -> None:
    """Check everything that needs no registration.

    Raises
    ------
    InputError
        An empty stack or mask, axes that are not at right angles, a stack that does not meet the fixed one, or a fixed
        stack that does not exist.
    """
    if parameters.fixed_stack > len(stacks):
        raise InputError(f"fixed_stack is {parameters.fixed_stack} but there are {len(stacks)} stacks.")
    for number, stack in enumerate(stacks, 1):
        name = stack_name(stack, number)
        thickness_mm(stack, number, parameters)
        if not np.any(stack.array):
            raise InputError(f"{name} is zero everywhere: leave it out or export it again.")
        if np.ptp(np.abs(stack.array)) == 0:
            raise InputError(f"{name} has the same value everywhere: leave it out or export it again.")
        directions = stack.geometry.directions
        if not np.allclose(directions.T @ directions, np.eye(3), atol=1e-3):
            raise InputError(f"{name} has axes that are not at right angles: resample it to a regular grid first.")
        if "mask" in stack.parts and not (stack.parts["mask"] > 0.5).any():
            raise InputError(f"The mask of {name} is empty where the stack lies: check that they belong together.")
    check_overlap(stacks, parameters.fixed_stack)


def check_overlap(stacks: list[ImageSeries], fixed_number: int) -> None:
    """Check that all stacks lie where the fixed one lies; voxels are not looked at.

    Raises
    ------
    InputError
        One does not.
    """
    fixed = stacks[fixed_number - 1]
    box = box_of(fixed)
    # with masks the overlap of the stacks counts, for the patient may have moved between them
    box = type(box)(box.shape, box.affine)
    for number, stack in enumerate(stacks, 1):
        size = np.array(stack.array.shape[:0:-1])
        axes = [(np.arange(PROBES) + 0.5) / PROBES * n - 0.5 for n in size]
        points = stack.geometry.to_ras(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
        if not box.holds(points).any():
            raise InputError(
                f"{stack_name(stack, number)} does not overlap {stack_name(fixed, fixed_number)}, the fixed one: they "
                "lie in different places of the scanner. Check that they show the same part of the body."
            )
