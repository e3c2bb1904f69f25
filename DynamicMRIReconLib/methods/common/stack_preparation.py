"""From stacks as they were read to stacks that fit together: checked, registered, equally bright, on one grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DynamicMRIReconLib.data import ImageSeries
from DynamicMRIReconLib.errors import InputError
from DynamicMRIReconLib.methods.base import Context
from DynamicMRIReconLib.methods.common import stack_intensity
from DynamicMRIReconLib.methods.common.stack_checks import check_stacks, stack_name, thickness_mm
from DynamicMRIReconLib.methods.common.stack_grid import VolumeGrid, finest_spacing_mm, output_grid
from DynamicMRIReconLib.methods.common.stack_parameters import StackParameters

#: voxels of the volume with which stacks are aligned; a finer one is slower and hardly better
_ALIGNMENT_VOXELS = 1_500_000
_ALIGNMENT_REGULARIZATION = 0.03
_BRIGHT_PERCENTILE = 99.9
#: voxels (z, y, x) of a stack that are kept around its mask
_MASK_MARGIN = np.array([2, 8, 8])


@dataclass(frozen=True)
class PreparedStack:
    """A stack in its place.

    Attributes
    ----------
    name
        What messages call it.
    values
        (z, y, x) float32, zero where it was zero, the brightest about 1.
    mask
        bool (z, y, x), what counts; None for everything.
    affine
        (4, 4) voxel index to RAS mm after registration.
    motion
        (4, 4) RAS: the registration, ``affine`` is ``motion`` times the affine that was read.
    thickness_mm
        Of a slice.
    factor, offset
        With which its values were made as bright as those of the fixed stack, before all were scaled.
    """

    name: str
    values: NDArray[np.float32]
    mask: NDArray[np.bool_] | None
    affine: NDArray[np.float64]
    motion: NDArray[np.float64]
    thickness_mm: float
    factor: float = 1.0
    offset: float = 0.0

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """(3,) x, y, z."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    def weights(self) -> NDArray[np.float32]:
        """(z, y, x): 1 where the stack counts, 0 elsewhere."""
        return np.ones(self.values.shape, np.float32) if self.mask is None else self.mask.astype(np.float32)


@dataclass(frozen=True)
class PreparedStacks:
    """All of them, and the grid of the result; values times ``scale`` are in the intensity of the fixed stack."""

    stacks: list[PreparedStack]
    grid: VolumeGrid
    scale: float
    fixed: int
    time_s: float
    metadata: dict[str, Any] = field(default_factory=dict)

    def seen(self, planes: slice, least: int = 1) -> NDArray[np.bool_]:
        """(planes, y, x): which voxels of the grid at least ``least`` stacks hold (their masks, where there are)."""
        points = self.grid.points_mm(planes)
        return np.asarray(sum(_box(stack).holds(points).astype(int) for stack in self.stacks) >= least)

    def result(self, volume: NDArray[np.float32], **notes: Any) -> ImageSeries:
        """The volume (z, y, x), in the scale of ``values``, as a series of one frame; unseen voxels become zero."""
        volume = volume * np.float32(self.scale)
        for z in range(len(volume)):
            volume[z][~self.seen(slice(z, z + 1))[0]] = 0
        metadata = {**self.metadata, **notes}
        return ImageSeries(volume[None], self.grid.affine, np.array([self.time_s]), metadata=metadata)


def _box(stack: PreparedStack) -> Any:
    from DynamicMRIReconLib.methods.common.stack_grid import Box

    shape = stack.values.shape
    return Box((shape[0], shape[1], shape[2]), stack.affine, stack.mask)


def prepare(stacks: list[ImageSeries], parameters: StackParameters, context: Context) -> PreparedStacks:
    """Check, register, match and scale the stacks, and choose the grid of the result.

    Raises
    ------
    InputError
        See ``check_stacks`` and ``output_grid``; or a stack that cannot be registered.
    """
    context.step(0.0, "Checking the stacks")
    stacks = [stack.magnitude() for stack in stacks]
    check_stacks(stacks, parameters)
    fixed = parameters.fixed_stack - 1
    prepared = [_unmoved(stack, number, parameters) for number, stack in enumerate(stacks, 1)]
    refinements = parameters.registration_refinements if parameters.registration == "rigid" else 0
    if parameters.registration == "rigid":
        prepared = _register(prepared, fixed, context.part(0, 1 + refinements))
    prepared = _match(prepared, fixed, parameters)
    for cycle in range(refinements):
        prepared = _refine(prepared, fixed, context.part(1 + cycle, 1 + refinements))
        prepared = _match(prepared, fixed, parameters)
    bright = [stack.factor * stack.values + stack.offset for stack in prepared]
    inside = [values if s.mask is None else values[s.mask] for values, s in zip(bright, prepared, strict=True)]
    # the highest of percentiles: one bright voxel must not set the scale, a dark stack neither
    scale = max(float(np.percentile(values, _BRIGHT_PERCENTILE)) for values in inside)
    if not scale > 0:
        scale = max(float(np.abs(values).max()) for values in inside) or 1.0
    prepared = [
        replace(stack, values=np.asarray(values / scale, np.float32))
        for stack, values in zip(prepared, bright, strict=True)
    ]
    grid = output_grid([_box(stack) for stack in prepared], parameters)
    _check_seen(prepared, grid)
    return PreparedStacks(
        prepared, grid, scale, fixed, float(stacks[fixed].times_s[0]), _metadata(stacks, prepared, parameters)
    )


def _unmoved(stack: ImageSeries, number: int, parameters: StackParameters) -> PreparedStack:
    values, affine, mask = np.asarray(stack.array[0], np.float32), stack.affine, None
    if "mask" in stack.parts:
        mask = stack.parts["mask"][0] > 0.5
        window, affine = _around(mask, stack.affine)
        values, mask = values[window], mask[window]
    return PreparedStack(
        stack_name(stack, number), values, mask, affine, np.eye(4), thickness_mm(stack, number, parameters)
    )


def _around(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> tuple[tuple[slice, ...], NDArray[np.float64]]:
    """The part of a stack that a mask needs, some voxels around it included, and the affine of it."""
    places = np.argwhere(mask)
    first = np.maximum(places.min(axis=0) - _MASK_MARGIN, 0)
    last = np.minimum(places.max(axis=0) + 1 + _MASK_MARGIN, mask.shape)
    moved = affine.copy()
    moved[:3, 3] = affine[:3, :3] @ first[::-1] + affine[:3, 3]
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True)), moved


def _register(stacks: list[PreparedStack], fixed: int, context: Context) -> list[PreparedStack]:
    from DynamicMRIReconLib.registration.rigid import Volume, register_rigid

    def volume(stack: PreparedStack) -> Volume:
        return Volume(stack.values, stack.affine, stack.mask)

    def motion_of(stack: PreparedStack, part: Context) -> NDArray[np.float64]:
        return register_rigid(
            volume(stacks[fixed]), volume(stack), seed=context.seed, step=lambda done: part.step(done, "Registering")
        )

    registered = list(stacks)
    others = [number for number in range(len(stacks)) if number != fixed]
    for turn, number in enumerate(others):
        stack, part = stacks[number], context.part(turn, len(others))
        part.step(0.0, f"Registering {stack.name}")
        try:
            motion = part.once("registration", partial(motion_of, stack))
        except RuntimeError as error:
            raise InputError(
                f"{stack.name} cannot be registered with {stacks[fixed].name}: too little of them overlaps. Give "
                "masks, "
                "choose another fixed_stack, or set registration=none."
            ) from error
        registered[number] = _moved(stack, motion)
    return registered


def _moved(stack: PreparedStack, motion: NDArray[np.float64]) -> PreparedStack:
    return replace(stack, affine=motion @ stack.affine, motion=motion @ stack.motion)


def _match(stacks: list[PreparedStack], fixed: int, parameters: StackParameters) -> list[PreparedStack]:
    def told(stack: PreparedStack) -> tuple[NDArray[np.float32], Any, float]:
        return stack.values, _box(stack), stack.thickness_mm

    matched = []
    for number, stack in enumerate(stacks):
        factor, offset = 1.0, 0.0
        if number != fixed:
            factor, offset = stack_intensity.match(told(stacks[fixed]), told(stack), parameters.intensity_matching)
        matched.append(replace(stack, factor=factor, offset=offset))
    return matched


def _refine(stacks: list[PreparedStack], fixed: int, context: Context) -> list[PreparedStack]:
    """Each stack but the fixed one aligned with the volume that the others make, as its slice profile shows it."""
    aligned = list(stacks)
    others = [number for number in range(len(stacks)) if number != fixed]
    for turn, number in enumerate(others):
        part = context.part(turn, len(others))
        rest = [stack for one, stack in enumerate(aligned) if one != number]
        motion = part.once("alignment", partial(_alignment, rest, aligned[number]))
        aligned[number] = _moved(aligned[number], motion)
    return aligned


def _alignment(rest: list[PreparedStack], stack: PreparedStack, part: Context) -> NDArray[np.float64]:
    return align_to(rest, stack, lambda done: part.step(done, "Aligning"))


def align_to(rest: list[PreparedStack], stack: PreparedStack, step: Callable[[float], None]) -> NDArray[np.float64]:
    """(4, 4) RAS motion that brings ``stack`` onto the volume that ``rest`` makes."""
    import torch

    from DynamicMRIReconLib.methods.common.stack_terms import terms_of
    from DynamicMRIReconLib.methods.common.tikhonov import least_gradient
    from DynamicMRIReconLib.operators.slice_profile import SliceGeometry
    from DynamicMRIReconLib.registration.through_profile import align

    boxes = [_box(one) for one in (*rest, stack)]
    # one stack alone says nothing between its slices: its volume is taken as it is
    parameters = StackParameters(field_of_view="union")
    grid = output_grid([_box(one) for one in rest], parameters)
    if grid.voxels > _ALIGNMENT_VOXELS:
        size = finest_spacing_mm(boxes) * (grid.voxels / _ALIGNMENT_VOXELS) ** (1 / 3)
        grid = output_grid([_box(one) for one in rest], parameters.model_copy(update={"voxel_size_mm": size}))
    scale = float(np.percentile(rest[0].values, _BRIGHT_PERCENTILE)) or 1.0
    step(0.0)
    terms = terms_of([replace(one, values=(one.factor * one.values + one.offset) / scale) for one in rest], grid)
    volume = least_gradient(
        terms, _ALIGNMENT_REGULARIZATION, iterations=8, callback=lambda status: step(0.04 * status.iteration)
    )
    shape = stack.values.shape
    found = align(
        volume,
        grid.affine,
        SliceGeometry((shape[0], shape[1], shape[2]), stack.affine, stack.thickness_mm),
        torch.as_tensor((stack.factor * stack.values + stack.offset) / scale, dtype=torch.float32),
        torch.as_tensor(stack.weights()),
        iterations=6,
        step=lambda done: step(0.35 + 0.65 * done),
    )
    return np.asarray(found.motions[0])


def _check_seen(stacks: list[PreparedStack], grid: VolumeGrid) -> None:
    stride = [max(1, n // 24) for n in grid.shape]
    z, y, x = np.meshgrid(*(np.arange(0, n, s) for n, s in zip(grid.shape, stride, strict=True)), indexing="ij")
    points = np.stack([x, y, z], axis=-1) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    if not any(_box(stack).holds(points).any() for stack in stacks):
        raise InputError("The grid or region that was asked for lies outside of all stacks: check its position.")


def _metadata(stacks: list[ImageSeries], prepared: list[PreparedStack], parameters: StackParameters) -> dict[str, Any]:
    entries = [
        {
            "source": stack.metadata.get("source", f"stack {number}"),
            "matrix_ras": one.motion.tolist(),
            "slice_thickness_mm": one.thickness_mm,
            "spacing_mm": one.spacing_mm.tolist(),
            "intensity_factor": one.factor,
            "intensity_offset": one.offset,
            "masked": one.mask is not None,
        }
        for number, (stack, one) in enumerate(zip(stacks, prepared, strict=True), 1)
    ]
    warnings = list(dict.fromkeys(text for stack in stacks for text in stack.metadata.get("warnings", [])))
    metadata: dict[str, Any] = {"stacks": entries, "registration": parameters.registration}
    if any(stack.metadata.get("simulated") for stack in stacks):
        metadata["simulated"] = True
    if warnings:
        metadata["warnings"] = warnings
    return metadata
